import { FlotillaError } from "@flotilla/core";
import type { RunSpec } from "./schemas.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `512m`, `1.5g`, `1024`: bytes. */
export function parseBytes(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text);
  const unit = UNITS[(match?.[2] ?? "").toLowerCase()];
  if (match === null || unit === undefined) throw invalid(flag, text, "a size such as 512m");
  return Math.floor(Number(match[1]) * unit);
}

export function parseNumber(flag: string, text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw invalid(flag, text, "a number");
  return Number(text);
}

/** Docker's `-p`: `[[ip:][hostPort]:]containerPort[/protocol]`, ports may be ranges of equal length; IPv6 in brackets. */
export function parsePorts(flag: string, text: string): RunSpec["ports"] {
  const match = /^(?:(?:(\[[0-9a-fA-F:]+\]|[0-9.]+):)?(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)(?:\/(tcp|udp))?$/.exec(text);
  if (match === null) throw invalid(flag, text, "[[address:]hostPort:]containerPort[/tcp|udp]");
  const [, address, host, container = "", protocolText] = match;
  const protocol = protocolText === "udp" ? "udp" : "tcp";
  const inside = parseRange(flag, container);
  const outside = host === undefined ? undefined : parseRange(flag, host);
  if (outside !== undefined && outside.length !== inside.length) throw invalid(flag, text, "ranges of equal length");
  const hostIp = address?.replace(/^\[|\]$/g, "");
  return inside.map((containerPort, index) => {
    const hostPort = outside?.[index];
    return { containerPort, protocol, ...(hostIp === undefined ? {} : { hostIp }), ...(hostPort === undefined ? {} : { hostPort }) };
  });
}

function parseRange(flag: string, text: string): number[] {
  const [from = 0, to = from] = text.split("-").map(Number);
  if (from < 1 || to > 65_535 || from > to) throw invalid(flag, text, "ports between 1 and 65535");
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** `-v [source:]target[:options]`: a source with a slash in front is a path of the host, else a volume's name. */
export function parseVolume(flag: string, text: string): RunSpec["mounts"][number] {
  const parts = text.split(":");
  if (parts.length > 3 || parts.some((part) => part === "")) throw invalid(flag, text, "[source:]target[:ro]");
  const [first = "", second, options = ""] = parts;
  const target = second ?? first;
  if (!target.startsWith("/")) throw invalid(flag, text, "an absolute path in the container");
  const words = options === "" ? [] : options.split(",");
  const unknown = words.find((word) => !["ro", "rw", "z", "Z", "nocopy", "cached", "delegated", "consistent"].includes(word));
  if (unknown !== undefined) throw invalid(flag, text, `no option "${unknown}"`);
  const readOnly = words.includes("ro");
  if (second === undefined) return { kind: "volume", target, readOnly };
  if (/^[.~]/.test(first)) throw invalid(flag, text, "an absolute path of the host: this machine does not know your directory");
  return { kind: first.startsWith("/") ? "bind" : "volume", source: first, target, readOnly };
}

/** `--mount type=bind,source=/a,target=/b,readonly`. */
export function parseMount(flag: string, text: string): RunSpec["mounts"][number] {
  const fields = new Map(
    text.split(",").map((field): [string, string] => {
      const at = field.indexOf("=");
      return at === -1 ? [field, "true"] : [field.slice(0, at), field.slice(at + 1)];
    }),
  );
  const known = ["type", "source", "src", "target", "destination", "dst", "readonly", "ro"];
  const unknown = [...fields.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) throw invalid(flag, text, `no option "${unknown}"`);
  const kind = (["bind", "volume", "tmpfs"] as const).find((type) => type === (fields.get("type") ?? "volume"));
  const target = fields.get("target") ?? fields.get("destination") ?? fields.get("dst");
  if (kind === undefined) throw invalid(flag, text, "type=bind, volume or tmpfs");
  if (target === undefined) throw invalid(flag, text, "target=…");
  const source = fields.get("source") ?? fields.get("src");
  const readOnly = ["true", "1"].includes(fields.get("readonly") ?? fields.get("ro") ?? "false");
  return { kind, target, readOnly, ...(source === undefined ? {} : { source }) };
}

/** `NAME=VALUE`. A bare NAME would take its value from the terminal where the line is run, which is not here. */
export function parsePair(flag: string, text: string): { name: string; value: string } {
  const at = text.indexOf("=");
  if (at === 0) throw invalid(flag, text, "NAME=VALUE");
  if (at === -1 && flag === "--env") throw invalid(flag, text, "NAME=VALUE: the value of your own environment is not known here");
  return at === -1 ? { name: text, value: "" } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

export function parseRestart(flag: string, text: string): RunSpec["restart"] {
  const [word, count] = text.split(":");
  const name = (["no", "always", "unless-stopped", "on-failure"] as const).find((known) => known === word);
  if (name === undefined || (count !== undefined && name !== "on-failure"))
    throw invalid(flag, text, "no, always, unless-stopped or on-failure[:count]");
  return count === undefined ? { name } : { name, maximumRetryCount: parseNumber(flag, count) };
}

export function parseDevice(flag: string, text: string): RunSpec["devices"][number] {
  const [hostPath = "", second, third] = text.split(":");
  if (!hostPath.startsWith("/")) throw invalid(flag, text, "/dev/…");
  const isMode = second !== undefined && /^[rwm]{1,3}$/.test(second);
  return { hostPath, containerPath: second === undefined || isMode ? hostPath : second, permissions: third ?? (isMode ? second : "rwm") };
}

export function parseUlimit(flag: string, text: string): RunSpec["ulimits"][number] {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  const [, name, soft, hard] = match ?? [];
  if (name === undefined || soft === undefined) throw invalid(flag, text, "name=soft[:hard]");
  return { name, soft: Number(soft), hard: Number(hard ?? soft) };
}

export function invalid(flag: string, text: string, wanted: string): FlotillaError {
  return new FlotillaError("invalid", `${flag}: "${text}" must be ${wanted}`, { details: { flag } });
}
