import type { Issues } from "../issue.ts";
import type { Node } from "../tree.ts";
import { child } from "../tree.ts";
import { isPullAge, parsePullAge } from "./pull-age.ts";
import { type NoteTarget, object, type Reader } from "./reader.ts";
import { serviceFields } from "./service-fields.ts";
import { type Message, message } from "../message.ts";

type Raw = Record<string, unknown>;
type EnvFile = { path: string; required?: boolean; format?: string };

/** A service as the file has it: the model's words, and what only the loader can resolve. */
export type DecodedService = { raw: Raw; envFiles: EnvFile[]; labelFiles: string[]; node: Node };

const readers = new Map<NoteTarget, Reader>();

/** Decodes one service of a merged canonical tree. What is wrong goes to `issues` and is left out. */
export function decodeService(node: Node, path: string, { issues, target }: { issues: Issues; target: NoteTarget }): DecodedService {
  const read = readers.get(target) ?? object(serviceFields(target), { target, withExtensions: true });
  readers.set(target, read);
  const decoded = (read(node, path, issues) ?? {}) as Raw;
  const { envFile = [], labelFile = [], extends: _, gpus: __, ...raw } = decoded;
  const at = { path, issues, node };
  foldResources(raw, at);
  foldReplicas(raw, at);
  raw["ports"] = ports((raw["ports"] ?? []) as Raw[], at);
  raw["expose"] = ((raw["expose"] ?? []) as string[]).flatMap((entry, index) => expose(entry, { ...at, index }));
  raw["volumes"] = ((raw["volumes"] ?? []) as Raw[]).flatMap((mount, index) => volume(mount, { ...at, index }));
  raw["tmpfs"] = Object.fromEntries(((raw["tmpfs"] ?? []) as string[]).map(splitTmpfs));
  foldUlimits(raw, at);
  foldBuild(raw, at);
  foldPullPolicy(raw);
  return { raw, envFiles: envFile as EnvFile[], labelFiles: labelFile as string[], node };
}

type At = { path: string; issues: Issues; node: Node };

/** The service's own limits and those below `deploy` are one thing; the latter win. */
function foldResources(raw: Raw, at: At): void {
  const { cpus, memLimitBytes, memReservationBytes, pidsLimit } = raw;
  for (const key of ["cpus", "memLimitBytes", "memReservationBytes", "pidsLimit"]) delete raw[key];
  const deploy = (raw["deploy"] ??= {}) as Raw;
  const resources = (deploy["resources"] ??= {}) as Raw;
  const limits = (resources["limits"] ??= {}) as Raw;
  const reservations = (resources["reservations"] ??= {}) as Raw;
  const fold = (into: Raw, key: string, { value, name }: { value: unknown; name: string }): void => {
    if (value === undefined) return;
    if (into[key] !== undefined && into[key] !== value)
      at.issues.error(`${at.path}.${name}`, message("differs_from_resources"), { position: child(at.node, name)?.at });
    into[key] ??= value;
  };
  fold(limits, "cpus", { value: cpus, name: "cpus" });
  fold(limits, "memoryBytes", { value: memLimitBytes, name: "mem_limit" });
  fold(limits, "pids", { value: pidsLimit, name: "pids_limit" });
  fold(reservations, "memoryBytes", { value: memReservationBytes, name: "mem_reservation" });
}

function foldReplicas(raw: Raw, { path, issues, node }: At): void {
  const { scale } = raw;
  delete raw["scale"];
  const deploy = raw["deploy"] as Raw;
  if (scale === undefined) return;
  if (deploy["replicas"] !== undefined && deploy["replicas"] !== scale)
    issues.error(`${path}.scale`, message("differs_from_replicas"), { position: child(node, "scale")?.at });
  deploy["replicas"] ??= scale;
}

function ports(list: readonly Raw[], { path, issues, node }: At): Raw[] {
  return list.flatMap((port, index) => {
    if (port["target"] === undefined) {
      issues.error(`${path}.ports.${index}`, message("is_missing", { key: "target" }), { position: child(node, "ports")?.at });
      return [];
    }
    const { published = "", ...rest } = port;
    const [first, last] = String(published).split("-");
    if (first === undefined || first === "") return [rest];
    return [{ ...rest, published: Number(first), ...(last === undefined || last === first ? {} : { publishedEnd: Number(last) }) }];
  });
}

function expose(entry: string, { path, issues, node, index }: At & { index: number }): string[] {
  const [, first, last, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(entry) ?? [];
  const [from, to] = [Number(first), Number(last ?? first)];
  if (first === undefined || from > to || to > 65_535) {
    issues.error(`${path}.expose.${index}`, message("invalid_expose", { text: entry }), {
      position: child(node, "expose")?.at,
    });
    return [];
  }
  return Array.from({ length: to - from + 1 }, (_, offset) => `${from + offset}/${protocol}`);
}

/** The nested options of the file's long form beside the mount's own, as the model has them. */
function volume(mount: Raw, { path, issues, node, index }: At & { index: number }): Raw[] {
  const { bind = {}, volume = {}, tmpfs = {}, consistency: _, ...own } = mount;
  const wrong = (said: Message): Raw[] => {
    issues.error(`${path}.volumes.${index}`, said, { position: child(node, "volumes")?.at });
    return [];
  };
  if (own["type"] === undefined) return wrong(message("is_missing", { key: "type" }));
  if (own["target"] === undefined) return wrong(message("is_missing", { key: "target" }));
  if (own["type"] === "bind" && own["source"] === undefined) return wrong(message("bind_needs_source"));
  const options = own["type"] === "bind" ? bind : own["type"] === "volume" ? volume : tmpfs;
  return [{ ...own, ...(options as Raw) }];
}

function splitTmpfs(entry: string): [string, string] {
  const at = entry.indexOf(":");
  return at === -1 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}

function foldUlimits(raw: Raw, { path, issues }: At): void {
  const fold = (ulimits: unknown): Raw =>
    Object.fromEntries(
      Object.entries((ulimits ?? {}) as Record<string, { single?: number; soft?: number; hard?: number }>).flatMap(([name, limit]) => {
        const { single, soft = single, hard = single } = limit;
        if (soft !== undefined && hard !== undefined) return [[name, { soft, hard }] as const];
        issues.error(`${path}.ulimits.${name}`, message("ulimit_needs_both"));
        return [];
      }),
    );
  raw["ulimits"] = fold(raw["ulimits"]);
  const build = raw["build"] as Raw | undefined;
  if (build !== undefined) build["ulimits"] = fold(build["ulimits"]);
}

function foldBuild(raw: Raw, { path, issues, node }: At): void {
  const build = raw["build"] as Raw | undefined;
  if (build?.["dockerfile"] !== undefined && build["dockerfileInline"] !== undefined)
    issues.error(`${path}.build`, message("dockerfile_twice"), { position: child(node, "build")?.at });
}

function foldPullPolicy(raw: Raw): void {
  const policy = raw["pullPolicy"];
  if (typeof policy !== "string" || !isPullAge(policy)) return;
  raw["pullPolicy"] = "refresh";
  raw["pullRefreshMs"] = parsePullAge(policy);
}
