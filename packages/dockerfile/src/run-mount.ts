// `RUN --mount=type=…,…`, after BuildKit's frontend/dockerfile/instructions/commands_runmount.go. Values are as written;
// variables are put in when the step is evaluated.
import { FlotillaError, suggest } from "@flotilla/core";

export type RunMount =
  | { type: "bind"; from: string | undefined; source: string; target: string; isReadOnly: boolean }
  | {
      type: "cache";
      id: string;
      from: string | undefined;
      source: string;
      target: string;
      isReadOnly: boolean;
      sharing: CacheSharing;
      owner: Owner;
    }
  | { type: "tmpfs"; target: string; sizeBytes: number | undefined }
  | { type: "secret"; id: string; target: string | undefined; env: string | undefined; isRequired: boolean; owner: Owner }
  | { type: "ssh"; id: string; target: string | undefined; isRequired: boolean; owner: Owner };

export type CacheSharing = "shared" | "private" | "locked";
/** `mode` is the octal mode as a number. What is undefined has the type's default. */
export type Owner = { mode: number | undefined; uid: number | undefined; gid: number | undefined };

const TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"];
const KEYS = [
  "type",
  "from",
  "source",
  "src",
  "target",
  "dst",
  "destination",
  "readonly",
  "ro",
  "readwrite",
  "rw",
  "id",
  "sharing",
  "required",
  "size",
  "mode",
  "uid",
  "gid",
  "env",
];
/** Keys that only some types have. */
const KEYS_OF: Readonly<Record<string, readonly string[]>> = {
  from: ["bind", "cache"],
  source: ["bind", "cache"],
  readonly: ["bind", "cache"],
  id: ["cache", "secret", "ssh"],
  sharing: ["cache"],
  required: ["secret", "ssh"],
  size: ["tmpfs"],
  mode: ["cache", "secret", "ssh"],
  uid: ["cache", "secret", "ssh"],
  gid: ["cache", "secret", "ssh"],
  env: ["secret"],
};
const ALIASES: Readonly<Record<string, string>> = { src: "source", dst: "target", destination: "target", ro: "readonly" };
const FLAG_KEYS = new Set(["readonly", "readwrite", "rw", "required"]);

/** @param text what follows `--mount=`. @throws FlotillaError `invalid`. */
export function parseRunMount(text: string): RunMount {
  const options = readOptions(text);
  const type = options.get("type")?.toLowerCase() ?? "bind";
  if (!TYPES.includes(type)) throw withHint(`unsupported mount type "${type}"`, suggest(type, TYPES));
  for (const key of options.keys()) {
    const types = KEYS_OF[key];
    if (types !== undefined && !types.includes(type)) throw invalid(`unexpected key '${key}' for mount type '${type}'`);
  }
  const from = options.get("from");
  if (from?.includes("$") === true) throw invalid("'from' doesn't support variable expansion, define alias stage instead");
  return build(type, options);
}

function build(type: string, options: ReadonlyMap<string, string>): RunMount {
  const target = options.get("target");
  const shared = { from: options.get("from"), source: options.get("source") ?? "" };
  const owner: Owner = {
    mode: octal(options.get("mode")),
    uid: integer("uid", options.get("uid")),
    gid: integer("gid", options.get("gid")),
  };
  const isRequired = boolean("required", options.get("required")) ?? false;
  if (type === "secret") return secretMount(options, { isRequired, owner });
  if (type === "ssh") return { type, id: options.get("id") ?? "default", target, isRequired, owner };
  if (target === undefined || target === "") throw invalid(`target is required for mount type "${type}"`);
  if (type === "tmpfs") return { type, target, sizeBytes: bytes(options.get("size")) };
  const isReadOnly = readOnly(options, type === "bind");
  if (type === "cache")
    return { type, id: options.get("id") ?? target, ...shared, target, isReadOnly, sharing: sharing(options.get("sharing")), owner };
  return { type: "bind", ...shared, target, isReadOnly };
}

function secretMount(options: ReadonlyMap<string, string>, rest: { isRequired: boolean; owner: Owner }): RunMount {
  const source = options.get("id") ?? options.get("target")?.split("/").at(-1);
  if (source === undefined || source === "") throw invalid(`invalid mount: one of "id" or "target" must be set for type "secret"`);
  const env = options.get("env");
  // A secret given as a variable is a file only when a target is named too.
  const target = options.get("target") ?? (env === undefined ? `/run/secrets/${source}` : undefined);
  return { type: "secret", id: source, target, env, ...rest };
}

function readOptions(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const field of splitFields(text)) {
    const equals = field.indexOf("=");
    const written = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    if (!KEYS.includes(written)) throw withHint(`unexpected key '${written}' in '${field}'`, suggest(written, KEYS));
    if (equals === -1 && !FLAG_KEYS.has(written) && written !== "ro") throw invalid(`invalid field '${field}' must be a key=value pair`);
    const value = equals === -1 ? "true" : field.slice(equals + 1);
    options.set(ALIASES[written] ?? written, value);
  }
  return options;
}

/** One record of comma-separated values: a field in double quotes may hold commas. */
function splitFields(text: string): string[] {
  const fields: string[] = [];
  let field = "";
  let isQuoted = false;
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted;
    else if (char === "," && !isQuoted) {
      fields.push(field);
      field = "";
    } else field += char;
  }
  if (isQuoted) throw invalid(`failed to parse csv mounts: extraneous or missing " in quoted-field`);
  return [...fields, field].map((item) => item.trim()).filter((item) => item !== "");
}

function readOnly(options: ReadonlyMap<string, string>, isDefault: boolean): boolean {
  const ro = boolean("readonly", options.get("readonly"));
  const rw = boolean("readwrite", options.get("readwrite") ?? options.get("rw"));
  if (ro !== undefined) return ro;
  return rw === undefined ? isDefault : !rw;
}

function boolean(key: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(true|t|1)$/i.test(text)) return true;
  if (/^(false|f|0)$/i.test(text)) return false;
  throw invalid(`invalid value for ${key}: ${text}`);
}

function sharing(text: string | undefined): CacheSharing {
  const value = text?.toLowerCase() ?? "shared";
  if (value === "shared" || value === "private" || value === "locked") return value;
  throw withHint(`unsupported sharing value "${value}"`, suggest(value, ["shared", "private", "locked"]));
}

function octal(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-7]{1,5}$/.test(text)) throw invalid(`invalid value ${text} for mode`);
  return Number.parseInt(text, 8);
}

function integer(key: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw invalid(`invalid value ${text} for ${key}`);
  return Number(text);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function bytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit = ""] = /^(\d{1,15})\s*([bkmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (amount === undefined) throw invalid(`invalid value for size: ${text}`);
  return Number(amount) * (UNITS[unit.toLowerCase()] ?? 1);
}

function invalid(message: string): FlotillaError {
  return new FlotillaError("invalid", message);
}

function withHint(message: string, hint: string | undefined): FlotillaError {
  return invalid(hint === undefined ? message : `${message} (did you mean ${hint}?)`);
}
