const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1536` → `1.5 KiB`. Binary units, at most three significant digits. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return "–";
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${trimZeros(value.toFixed(digits))} ${UNITS[unit]}`;
}

/** `12.34` → `12.3%`; whole numbers from 100 up. */
export function formatPercent(percent: number): string {
  if (!Number.isFinite(percent)) return "–";
  return `${trimZeros(percent.toFixed(percent >= 99.95 ? 0 : 1))}%`;
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const DURATION_STEPS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** The two largest units of a duration in milliseconds: `3d 4h`, `5m 12s`, `0s`. */
export function formatDuration(milliseconds: number): string {
  let seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: string[] = [];
  for (const [unit, size] of DURATION_STEPS) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0 || parts.length > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part, index) => index === 0 || !part.startsWith("0")).join(" ") || "0s";
}

const AGO_STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const satisfies readonly (readonly [Intl.RelativeTimeFormatUnit, number])[];

/** Made once for each language: to make one takes longer than to format a thousand. */
const agoFormat = perLocale((locale) => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));
const exactFormat = perLocale((locale) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" }));

function perLocale<Format>(make: (locale: string) => Format): (locale: string) => Format {
  const made = new Map<string, Format>();
  return (locale) => {
    const format = made.get(locale) ?? make(locale);
    made.set(locale, format);
    return format;
  };
}

/** Date and time to the second, in the page's language and the reader's time zone. */
export function formatExact(time: number, locale: string): string {
  return exactFormat(locale).format(time);
}

/** `5 minutes ago` in the page's language. Anything within five seconds reads "now". */
export function formatAgo(time: number, now: number, locale: string): string {
  const seconds = Math.round((time - now) / 1000);
  const format = agoFormat(locale);
  if (Math.abs(seconds) < 5) return format.format(0, "second");
  for (const [unit, size] of AGO_STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(0, "second");
}

/** First twelve characters of an id, without `sha256:`: what Docker prints. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

/** Docker's times: RFC 3339 or its zero value for "never", which becomes null. Milliseconds since 1970. */
export function parseTime(value: string | null | undefined): number | null {
  if (value === null || value === undefined || value === "" || value.startsWith("0001-01-01")) return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
}

/** `512m`, `1.5g`, `1048576` → bytes, as Docker reads sizes; null when it is none. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match?.[1] === undefined) return null;
  const power = "bkmgt".indexOf((match[2] ?? "").toLowerCase() || "b");
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** The inverse of {@link parseSize} for form fields: the shortest exact `512m`. */
export function sizeToText(bytes: number): string {
  for (const [power, suffix] of [
    [4, "t"],
    [3, "g"],
    [2, "m"],
    [1, "k"],
  ] as const) {
    if (bytes > 0 && bytes % 1024 ** power === 0) return `${bytes / 1024 ** power}${suffix}`;
  }
  return String(bytes);
}
