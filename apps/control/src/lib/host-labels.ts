const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,126}$/;

export type ParsedLabels = { labels: Record<string, string>; wrongLine: number | null };

/** Labels as text, one `name=value` a line. `wrongLine` is the first line that is none, counted from 1. */
export function parseLabels(text: string): ParsedLabels {
  const labels: Record<string, string> = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = line.indexOf("=");
    const name = (at === -1 ? line : line.slice(0, at)).trim();
    const value = at === -1 ? "" : line.slice(at + 1).trim();
    if (!NAME.test(name) || value.length > 256) return { labels, wrongLine: index + 1 };
    labels[name] = value;
  }
  return { labels, wrongLine: null };
}

export function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}
