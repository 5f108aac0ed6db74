import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { z } from "zod";

/** A mount as decided at create: names are resolved, anonymous volumes exist. */
export const RecordedMount = z.object({
  type: z.enum(["bind", "volume", "tmpfs"]),
  /** Volume name; "" for the other types. */
  name: z.string(),
  /** Host path of a bind; of volumes the path is asked at each start, tmpfs has none. */
  source: z.string(),
  destination: z.string(),
  isReadOnly: z.boolean(),
  /** Mode text of the request as inspect shows it ("ro", "z", …). */
  mode: z.string(),
  propagation: z.string(),
  isRecursive: z.boolean(),
  isReadOnlyRecursive: z.boolean(),
  /** Copy the image's content into an empty volume. */
  copiesUp: z.boolean(),
  /** Directory inside the volume; "" for all of it. */
  subpath: z.string(),
  /** mount(8) options of a tmpfs. */
  options: z.array(z.string()),
  /** Asked for by `--mount` (inspect lists only these tmpfs). */
  isMountRequest: z.boolean(),
  isAnonymous: z.boolean(),
  /** A bind that the engine made by itself: a file of a service, a mount of a build's step. Nobody asked for its source. */
  isOwn: z.boolean().default(false),
});
export type RecordedMount = z.output<typeof RecordedMount>;

export const RecordedEndpoint = z.object({
  networkName: z.string(),
  aliases: z.array(z.string()),
  links: z.array(z.string()).optional(),
  ipv4Address: z.string().optional(),
  ipv6Address: z.string().optional(),
  macAddress: z.string().optional(),
});
export type RecordedEndpoint = z.output<typeof RecordedEndpoint>;

export const RecordedPort = z.object({
  containerPort: z.int(),
  protocol: z.enum(["tcp", "udp", "sctp"]),
  hostIp: z.string(),
  hostPort: z.int(),
});

/** What the network gave to a container that runs. */
export const RecordedAttachment = z.object({
  netnsPath: z.string(),
  endpoints: z.array(
    z.object({
      networkId: z.string(),
      networkName: z.string(),
      endpointId: z.string(),
      ipv4Address: z.string(),
      prefixLength: z.int(),
      gateway: z.string(),
      ipv6Address: z.string().default(""),
      prefixLength6: z.int().default(0),
      gateway6: z.string().default(""),
      macAddress: z.string(),
      aliases: z.array(z.string()),
      hasNames: z.boolean().default(false),
    }),
  ),
  ports: z.array(RecordedPort),
});
export type RecordedAttachment = z.output<typeof RecordedAttachment>;

export const RecordedHealth = z.object({
  Status: z.enum(["starting", "healthy", "unhealthy", "none"]),
  FailingStreak: z.int(),
  Log: z.array(z.object({ Start: z.string(), End: z.string(), ExitCode: z.int(), Output: z.string() })),
});

/**
 * Everything the engine knows of one container. `intent` is what was being done: it is written before the first effect
 * and cleared with the result, so that a start after a crash finishes or undoes it.
 */
export const ContainerRecord = z.object({
  version: z.literal(1),
  id: z.string(),
  namespace: z.string(),
  /** Without slash. */
  name: z.string(),
  createdAtMs: z.number(),
  imageReference: z.string(),
  imageId: z.string(),
  path: z.string(),
  args: z.array(z.string()),
  config: ContainerConfig,
  hostConfig: HostConfig,
  endpoints: z.array(RecordedEndpoint),
  mounts: z.array(RecordedMount),
  cgroupPath: z.string(),
  /**
   * No guard rail binds it: made on the local socket or by an instance administrator, or before there were guard rails. Whoever
   * may start containers may start this one.
   */
  isExempt: z.boolean().default(true),

  status: z.enum(["created", "running", "paused", "restarting", "exited", "dead", "removing"]),
  intent: z.enum(["none", "create", "start", "release", "remove", "remove-volumes"]),
  pid: z.int(),
  /** Start time of the first process in clock ticks since boot; with the pid it names one process for ever. */
  pidStartTicks: z.int(),
  startedAtMs: z.number(),
  finishedAtMs: z.number(),
  exitCode: z.int(),
  error: z.string(),
  isOomKilled: z.boolean(),
  restartCount: z.int(),
  /** Delay before the next restart by policy; 0 when the last run was long enough. */
  restartDelayMs: z.number(),
  /** `stop` or `kill` came from a person: `unless-stopped` then leaves it alone, and no policy acts on this exit. */
  isManuallyStopped: z.boolean(),
  attachment: RecordedAttachment.nullable(),
  health: RecordedHealth.nullable(),
});
export type ContainerRecord = z.output<typeof ContainerRecord>;

/** Whether Docker says `Running: true`: also when paused or waiting to be restarted. */
export function isRunning(record: Pick<ContainerRecord, "status">): boolean {
  return record.status === "running" || record.status === "paused" || record.status === "restarting";
}

/** Whether processes of the container exist. */
export function isAlive(record: Pick<ContainerRecord, "status">): boolean {
  return record.status === "running" || record.status === "paused";
}
