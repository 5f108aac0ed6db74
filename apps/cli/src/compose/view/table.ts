/** Columns wide enough for their longest text, three spaces apart, as Docker prints lists. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join("   ")
      .trimEnd();
  return [header, ...rows].map(line).join("\n");
}

const STEPS: readonly [number, string][] = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [7, "day"],
  [4, "week"],
  [Number.POSITIVE_INFINITY, "month"],
];

/** `5 minutes ago`. */
export function ago(seconds: number): string {
  let rest = Math.max(0, seconds);
  for (const [size, unit] of STEPS) {
    if (rest < size) return `${Math.floor(rest)} ${unit}${Math.floor(rest) === 1 ? "" : "s"} ago`;
    rest /= size;
  }
  return "";
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** `4.21MB`, in thousands, as Docker shows sizes. */
export function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(4))}${UNITS[unit] ?? ""}`;
}

type Port = { IP?: string | undefined; PrivatePort: number; PublicPort?: number | undefined; Type: string };

/** `0.0.0.0:80->80/tcp, 443/tcp`. */
export function portsText(ports: readonly Port[]): string {
  const texts = ports.map(({ IP, PrivatePort, PublicPort, Type }) =>
    PublicPort === undefined ? `${PrivatePort}/${Type}` : `${IP ?? ""}:${PublicPort}->${PrivatePort}/${Type}`,
  );
  return [...new Set(texts)].join(", ");
}
