export type Plain = Record<string, unknown>;

export function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => unknown): Plain {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** Without what says nothing: absent values, false, empty lists and mappings. */
export function clean(value: Plain): Plain {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => !isNothing(item)));
}

function isNothing(item: unknown): boolean {
  if (item === undefined || item === false) return true;
  if (Array.isArray(item)) return item.length === 0;
  return typeof item === "object" && item !== null && Object.keys(item).length === 0;
}

/** Milliseconds as the specification writes durations. */
export function formatDuration(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  if (ms === 0) return "0s";
  const seconds = ms / 1000;
  if (!Number.isInteger(seconds)) return `${Number(ms.toFixed(6))}ms`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${rest}s`;
}

export const octal = (mode: number | undefined): string | undefined => (mode === undefined ? undefined : `0${mode.toString(8)}`);

/** An empty command is not the same as none. */
export const words = (list: readonly string[] | undefined): unknown => (list?.length === 0 ? "" : list);
