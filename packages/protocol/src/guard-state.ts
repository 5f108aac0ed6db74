// What containers of a namespace may do on a host and how much of it they may use: the resource `guard/<namespace>` of a host's
// desired state. A namespace without one is bound by SAFE_GUARD. docs/design/guard-rails.md.
import { z } from "zod";

/** Kind of the resources; the id is the namespace. */
export const GUARD_KIND = "guard";

/** Header of the tunnel by which the control plane says that a call is an instance administrator's, whom no guard rail binds. */
export const EXEMPT_HEADER = "x-flotilla-exempt";

const port = z.int().min(1).max(65_535);
const absolutePath = z
  .string()
  .max(4_096)
  .regex(/^(?:\/[^/\0]+)+$/, "must be an absolute path without a slash at its end")
  .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), "must not have . or .. in it");

/** What a namespace may use of a host at most; what is missing is not limited. */
export const guardLimits = z.object({
  /** Containers, running or not. */
  containers: z.int().min(0).max(100_000).optional(),
  /** CPUs of all containers together. */
  cpus: z.number().min(0.01).max(4_096).optional(),
  /** Memory of all containers together. */
  memoryBytes: z
    .int()
    .min(16 * 1024 * 1024)
    .max(2 ** 50)
    .optional(),
  /** Ports of the host that may be published, first and last of each range; none when it is empty. */
  hostPorts: z
    .array(z.tuple([port, port]).refine(([from, to]) => from <= to, "the first port of a range is above the last"))
    .max(64)
    .optional(),
});
export type GuardLimits = z.output<typeof guardLimits>;

/** What Docker allows to everybody and a guard rail only to those who may. */
export const guardAllow = z.object({
  /** All capabilities, all devices, no seccomp, no masked paths, and `exec --privileged`. Whoever has this is root on the host. */
  privileged: z.boolean().default(false),
  /** Beyond Docker's default ones: `CAP_NET_ADMIN`, or `ALL`. */
  capabilities: z
    .array(z.string().regex(/^(ALL|CAP_[A-Z_]{2,40})$/))
    .max(64)
    .default([]),
  /** Device nodes of the host, or directories of them. */
  devices: z.array(absolutePath).max(256).default([]),
  hostNetwork: z.boolean().default(false),
  hostPid: z.boolean().default(false),
  hostIpc: z.boolean().default(false),
  hostUts: z.boolean().default(false),
  hostCgroup: z.boolean().default(false),
  /** Directories of the host below which (and which themselves) may be mounted. */
  binds: z
    .array(z.union([absolutePath, z.literal("/")]))
    .max(256)
    .default([]),
  /** Mounting sockets, and what holds the sockets and data of this engine or another. Whoever has this is root on the host. */
  sockets: z.boolean().default(false),
  /** Mounts that show on the host what is mounted in the container. */
  sharedMounts: z.boolean().default(false),
  /** A seccomp profile of one's own, or none. */
  seccompUnconfined: z.boolean().default(false),
  /** Seeing what Docker hides of /proc and /sys, or writing to it. */
  unmaskedPaths: z.boolean().default(false),
  /** Beyond those that the kernel keeps for each container: `vm.overcommit_memory`. */
  sysctls: z
    .array(z.string().regex(/^[a-z0-9_]+([./][a-zA-Z0-9_-]+)+$/))
    .max(256)
    .default([]),
  /** Being spared by the kernel when memory is short. */
  oomProtection: z.boolean().default(false),
});
export type GuardAllow = z.output<typeof guardAllow>;

/** The body of the resource. */
export const guardState = z.object({ namespace: z.string().min(1).max(100), limits: guardLimits, allow: guardAllow });
export type GuardState = z.output<typeof guardState>;

/** A guard rail without its namespace. */
export type Guard = { limits: GuardLimits; allow: GuardAllow };

/** What Docker gives to every container and no more; no limits. */
export const SAFE_GUARD: Guard = { limits: {}, allow: guardAllow.parse({}) };

/** Both limits at once: of each kind the smaller one, of port ranges what is in both. */
export function stricterLimits(a: GuardLimits, b: GuardLimits): GuardLimits {
  const least = (one: number | undefined, other: number | undefined): number | undefined =>
    one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
  const merged = {
    containers: least(a.containers, b.containers),
    cpus: least(a.cpus, b.cpus),
    memoryBytes: least(a.memoryBytes, b.memoryBytes),
    hostPorts: a.hostPorts === undefined || b.hostPorts === undefined ? (a.hostPorts ?? b.hostPorts) : common(a.hostPorts, b.hostPorts),
  };
  return guardLimits.parse(Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)));
}

type Ranges = NonNullable<GuardLimits["hostPorts"]>;

function common(a: Ranges, b: Ranges): Ranges {
  const ranges = a.flatMap(([from, to]) => b.map(([low, high]): [number, number] => [Math.max(from, low), Math.min(to, high)]));
  // Ranges that do not fit are left out: fewer ports, never more.
  return ranges.filter(([from, to]) => from <= to).slice(0, 64);
}
