import type { GuardAllow } from "@flotilla/protocol";
import type { OciSeccomp } from "../runtime/oci-spec.ts";

/** Where a mount that somebody asked for leads. `realPath` undefined: nothing is there. */
export type BindFact = { asked: string; realPath: string | undefined; isSocket: boolean };

export type HostNamespace = "network" | "pid" | "ipc" | "uts";

export type DeviceNumber = { type: string; major: number; minor: number };

/** What a specification does not say of itself. */
export type GuardFacts = {
  /** Mounts that somebody asked for, by their source as it stands in the specification. */
  binds: ReadonlyMap<string, BindFact>;
  /** Sources of the mounts that the engine makes by itself. */
  ownSources: ReadonlySet<string>;
  /** Namespaces of the host that a container has which this one joins. */
  joined: ReadonlySet<HostNamespace>;
  /** The numbers of the devices that are allowed by path. */
  devices: readonly DeviceNumber[];
  /** The engine's own seccomp filter for these capabilities; undefined on a machine that has none. */
  seccomp: OciSeccomp | undefined;
  /** Directories and sockets that lead to an engine. */
  enginePaths: readonly string[];
  /** The cgroup below which the container has to be. */
  cgroupParent: string;
  hasCgroupNamespaces: boolean;
};

/** `rule` is the name in the guard rail's `allow`, `value` what was asked for. */
export type Violation = { rule: keyof GuardAllow | "cgroup"; value: string; message: string };
