/** Limits of a container's log: `--log-opt max-size=10m --log-opt max-file=3`. */
export type RotationPolicy = {
  maxBytes: number;
  /** Files kept, the current one included. */
  maxFiles: number;
};

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1e3, kb: 1e3, m: 1e6, mb: 1e6, g: 1e9, gb: 1e9 };

/** Reads the options of a log driver; undefined when the log has no limit. Sizes are decimal, as Docker reads them here. */
export function parseRotationPolicy(options: Readonly<Record<string, string>>): RotationPolicy | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec((options["max-size"] ?? "").trim().toLowerCase());
  const unit = UNITS[match?.[2] ?? ""];
  const maxBytes = Math.floor(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(maxBytes) || maxBytes <= 0) return undefined;
  const files = Number(options["max-file"] ?? "1");
  return { maxBytes, maxFiles: Number.isSafeInteger(files) && files >= 1 ? files : 1 };
}
