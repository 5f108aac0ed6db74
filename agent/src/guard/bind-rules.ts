// Which directories of the host may be mounted. Pure: where a path leads was found out before.
import type { GuardAllow } from "@flotilla/protocol";
import type { OciMount, OciSpec } from "../runtime/oci-spec.ts";
import type { BindFact, GuardFacts, Violation } from "./guard-facts.ts";

/** Kinds of mounts that show nothing of the host's files. */
const KERNEL_TYPES: ReadonlySet<string | undefined> = new Set(["proc", "sysfs", "cgroup", "mqueue", "devpts", "tmpfs"]);

export function findBindViolations(spec: OciSpec, allow: GuardAllow, facts: GuardFacts): Violation[] {
  return spec.mounts.flatMap((mount) => {
    if (KERNEL_TYPES.has(mount.type)) return [];
    const source = mount.source ?? "";
    const fact = facts.binds.get(source);
    if (fact === undefined) return facts.ownSources.has(source) ? findShared(mount, allow) : [bindOf(source)];
    return [...findShared(mount, allow), ...findRootViolations(fact, allow, facts.enginePaths)];
  });
}

const bindOf = (path: string): Violation => ({ rule: "binds", value: path, message: `mounting ${path} of the host` });

/** @param allow its roots without links. */
export function findRootViolations(
  { asked, realPath, isSocket }: BindFact,
  allow: GuardAllow,
  enginePaths: readonly string[],
): Violation[] {
  if (realPath === undefined || !allow.binds.some((root) => isWithin(realPath, root))) return [bindOf(asked)];
  if (allow.sockets) return [];
  if (isSocket) return [{ rule: "sockets", value: asked, message: `mounting the socket ${asked}` }];
  // What holds an engine's socket opens it as well as the socket does.
  const led = enginePaths.find((path) => isWithin(path, realPath) || isWithin(realPath, path));
  return led === undefined ? [] : [{ rule: "sockets", value: asked, message: `mounting ${asked}, which leads to ${led}` }];
}

function findShared({ options = [], destination }: OciMount, allow: GuardAllow): Violation[] {
  if (allow.sharedMounts || !(options.includes("shared") || options.includes("rshared"))) return [];
  return [{ rule: "sharedMounts", value: destination, message: `sharing what is mounted below ${destination} with the host` }];
}

/** Whether a path is a directory or below it. Both absolute and without links. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}
