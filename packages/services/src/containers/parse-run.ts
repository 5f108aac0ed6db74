import { FlotillaError } from "@flotilla/core";
import * as value from "./parse-values.ts";
import { runSpec, type RunSpec, type RunSpecInput } from "./schemas.ts";
import { tokenize } from "./tokenize.ts";

/** What a flag of `docker run` does to the spec. Flags of a person's own terminal (`-d`, `-a`) have no meaning here. */
type Flag =
  | { takes: "value"; apply: (spec: Draft, text: string, flag: string) => void }
  | { takes: "nothing"; apply: (spec: Draft) => void }
  | { takes: "value" | "nothing"; ignored: string };

type Draft = { -readonly [K in keyof RunSpec]: RunSpec[K] };

const set = (key: "name" | "hostname" | "user" | "workingDir" | "network" | "stopSignal"): Flag => ({
  takes: "value",
  apply: (spec, text) => void (spec[key] = text),
});
const size = (key: "memoryBytes" | "shmSizeBytes"): Flag => ({
  takes: "value",
  apply: (spec, text, flag) => void (spec[key] = value.parseBytes(flag, text)),
});
const number = (key: "cpus" | "cpuShares" | "pidsLimit" | "stopTimeoutSeconds"): Flag => ({
  takes: "value",
  apply: (spec, text, flag) => void (spec[key] = value.parseNumber(flag, text)),
});
const list = (key: "capAdd" | "capDrop" | "dns" | "extraHosts" | "securityOpt"): Flag => ({
  takes: "value",
  apply: (spec, text) => void spec[key].push(text),
});
const on = (key: "tty" | "interactive" | "autoRemove" | "privileged" | "init" | "readOnly" | "publishAll"): Flag => ({
  takes: "nothing",
  apply: (spec) => void (spec[key] = true),
});

const FLAGS: Readonly<Record<string, Flag>> = {
  "--name": set("name"),
  "--hostname": set("hostname"),
  "--user": set("user"),
  "--workdir": set("workingDir"),
  "--network": set("network"),
  "--net": set("network"),
  "--stop-signal": set("stopSignal"),
  "--stop-timeout": number("stopTimeoutSeconds"),
  "--memory": size("memoryBytes"),
  "--shm-size": size("shmSizeBytes"),
  "--cpus": number("cpus"),
  "--cpu-shares": number("cpuShares"),
  "--pids-limit": number("pidsLimit"),
  "--cap-add": list("capAdd"),
  "--cap-drop": list("capDrop"),
  "--dns": list("dns"),
  "--add-host": list("extraHosts"),
  "--security-opt": list("securityOpt"),
  "--tty": on("tty"),
  "--interactive": on("interactive"),
  "--rm": on("autoRemove"),
  "--privileged": on("privileged"),
  "--init": on("init"),
  "--read-only": on("readOnly"),
  "--publish-all": on("publishAll"),
  "--env": { takes: "value", apply: (spec, text, flag) => void spec.env.push(value.parsePair(flag, text)) },
  "--label": { takes: "value", apply: (spec, text, flag) => void spec.labels.push(value.parsePair(flag, text)) },
  "--publish": { takes: "value", apply: (spec, text, flag) => void spec.ports.push(...value.parsePorts(flag, text)) },
  "--volume": { takes: "value", apply: (spec, text, flag) => void spec.mounts.push(value.parseVolume(flag, text)) },
  "--mount": { takes: "value", apply: (spec, text, flag) => void spec.mounts.push(value.parseMount(flag, text)) },
  "--tmpfs": {
    takes: "value",
    apply: (spec, text) => void spec.mounts.push({ kind: "tmpfs", target: text.split(":")[0] ?? text, readOnly: false }),
  },
  "--restart": { takes: "value", apply: (spec, text, flag) => void (spec.restart = value.parseRestart(flag, text)) },
  "--device": { takes: "value", apply: (spec, text, flag) => void spec.devices.push(value.parseDevice(flag, text)) },
  "--ulimit": { takes: "value", apply: (spec, text, flag) => void spec.ulimits.push(value.parseUlimit(flag, text)) },
  "--entrypoint": { takes: "value", apply: (spec, text) => void (spec.entrypoint = [text]) },
  "--detach": { takes: "nothing", ignored: "" },
  "--attach": { takes: "value", ignored: "a container started from here runs detached" },
  "--sig-proxy": { takes: "nothing", ignored: "" },
  "--pull": { takes: "value", ignored: "the image must be on the host already" },
  "--platform": { takes: "value", ignored: "the host's own platform is used" },
  "--detach-keys": { takes: "value", ignored: "a container started from here runs detached" },
};

const SHORT: Readonly<Record<string, string>> = {
  d: "--detach",
  i: "--interactive",
  t: "--tty",
  e: "--env",
  p: "--publish",
  P: "--publish-all",
  v: "--volume",
  u: "--user",
  w: "--workdir",
  h: "--hostname",
  l: "--label",
  m: "--memory",
  c: "--cpu-shares",
  a: "--attach",
};

/**
 * Reads a pasted `docker run …` line. Flags whose meaning cannot be kept are an error that names them, so that nothing
 * is dropped silently; those that only concern the terminal become warnings.
 */
export function parseRun(line: string): { spec: RunSpec; warnings: string[] } {
  const words = tokenize(line);
  const start = skipCommand(words);
  const draft: Draft = runSpec.parse({ image: "-" } satisfies RunSpecInput);
  const warnings: string[] = [];
  let at = start;
  while (at < words.length && (words[at] ?? "").startsWith("-")) {
    const word = words[at] ?? "";
    if (word === "--") {
      at += 1;
      break;
    }
    at += word.startsWith("--") ? readLong(words, at, { draft, warnings }) : readShort(words, at, { draft, warnings });
  }
  const image = words[at];
  if (image === undefined) throw new FlotillaError("invalid", "the line names no image");
  draft.image = image;
  const rest = words.slice(at + 1);
  if (rest.length > 0) draft.command = rest;
  return { spec: checkSpec(draft), warnings };
}

function skipCommand(words: readonly string[]): number {
  let at = words[0] === "sudo" ? 1 : 0;
  if (words[at] === "docker" || words[at] === "podman") at += 1;
  if (words[at] === "container") at += 1;
  if (words[at] !== "run") throw new FlotillaError("invalid", "paste a line that begins with docker run");
  return at + 1;
}

type Target = { draft: Draft; warnings: string[] };

/** Reads `--flag`, `--flag value` or `--flag=value`; returns how many words it took. */
function readLong(words: readonly string[], at: number, target: Target): number {
  const word = words[at] ?? "";
  const equals = word.indexOf("=");
  const name = equals === -1 ? word : word.slice(0, equals);
  const flag = findFlag(name);
  if (flag.takes === "nothing") {
    const text = equals === -1 ? "true" : word.slice(equals + 1);
    if (text !== "true" && text !== "false") throw value.invalid(name, text, "true or false");
    if (text === "true") applyFlag(flag, { name, text }, target);
    return 1;
  }
  const text = equals === -1 ? words[at + 1] : word.slice(equals + 1);
  if (text === undefined) throw new FlotillaError("invalid", `${name} needs a value`, { details: { flag: name } });
  applyFlag(flag, { name, text }, target);
  return equals === -1 ? 2 : 1;
}

/** Reads `-it`, `-p 80:80`, `-p80:80`, `-itp 80:80`; returns how many words it took. */
function readShort(words: readonly string[], at: number, target: Target): number {
  const letters = (words[at] ?? "").slice(1);
  for (let index = 0; index < letters.length; index += 1) {
    const letter = letters.charAt(index);
    const name = SHORT[letter];
    if (name === undefined)
      throw new FlotillaError("invalid", `-${letter} is not a flag that this page understands`, { details: { flag: `-${letter}` } });
    const flag = findFlag(name);
    if (flag.takes === "nothing") {
      applyFlag(flag, { name, text: "true" }, target);
      continue;
    }
    const attached = letters.slice(index + 1).replace(/^=/, "");
    const text = attached === "" ? words[at + 1] : attached;
    if (text === undefined) throw new FlotillaError("invalid", `-${letter} needs a value`, { details: { flag: `-${letter}` } });
    applyFlag(flag, { name, text }, target);
    return attached === "" ? 2 : 1;
  }
  return 1;
}

function findFlag(name: string): Flag {
  const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
  if (flag === undefined)
    throw new FlotillaError("invalid", `${name} is not a flag that this page understands`, { details: { flag: name } });
  return flag;
}

function applyFlag(flag: Flag, given: { name: string; text: string }, target: Target): void {
  if ("ignored" in flag) {
    if (flag.ignored !== "") target.warnings.push(`${given.name} is left out: ${flag.ignored}`);
  } else if (flag.takes === "nothing") flag.apply(target.draft);
  else flag.apply(target.draft, given.text, given.name);
}

function checkSpec(draft: Draft): RunSpec {
  const parsed = runSpec.safeParse(draft);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FlotillaError("invalid", `${issue?.path.join(".") ?? "line"}: ${issue?.message ?? "invalid"}`);
}
