// Desired state of services: a replica is one container of a service on this host, `replica/<id>`, with the files (secrets and
// configs) that it mounts as resources of their own, `stack-file/<id>`: a host has a file once, however many replicas use it.
// A replica never changes: another version of its service is another replica, with an id of its own.
import { z } from "zod";

export const REPLICA_KIND = "replica";
export const STACK_FILE_KIND = "stack-file";

/** Labels of a replica's container. That of the replica is how the host knows which containers it has to look after. */
export const REPLICA_LABEL = "io.flotilla.replica";
export const REVISION_LABEL = "io.flotilla.revision";

/** Most that a host says of a replica that fails. */
export const MAX_REPLICA_LOG_LINES = 20;
export const MAX_REPLICA_TEXT = 2_000;

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
const absolutePath = z
  .string()
  .max(1_024)
  .regex(/^\/[^\0]+$/, "must be an absolute path");

export const replicaFile = z.object({
  /** Of the resource `stack-file/<id>`. */
  file: id,
  kind: z.enum(["secret", "config"]),
  target: absolutePath,
  uid: z.int().min(0).max(4_294_967_294),
  gid: z.int().min(0).max(4_294_967_294),
  mode: z.int().min(0).max(0o777),
});
export type ReplicaFile = z.output<typeof replicaFile>;

export const replicaRestart = z.object({
  condition: z.enum(["any", "on-failure", "none"]),
  delayMs: z.int().min(0).max(3_600_000),
  /** null: any number. */
  maxAttempts: z.int().min(0).max(1_000_000).nullable(),
});
export type ReplicaRestart = z.output<typeof replicaRestart>;

export const replicaState = z.object({
  id,
  namespace: z.string().min(1).max(128),
  /** Name of the container. */
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/),
  stack: z.string().max(255),
  service: z.string().max(255),
  slot: z.string().max(128),
  /** Of the service's version. */
  revision: z.string().max(128),
  kind: z.enum(["service", "job"]),
  image: z.string().min(1).max(512),
  pullPolicy: z.enum(["always", "missing", "never"]),
  /** Body of `POST /containers/create` without networks and files: the engine's own schema reads it. */
  body: z.record(z.string(), z.json()),
  /** In the order in which they become interfaces. */
  networks: z.array(z.object({ name: z.string().min(1).max(255), aliases: z.array(z.string().max(255)).max(64) })).max(64),
  files: z.array(replicaFile).max(256),
  restart: replicaRestart,
  /** It ends by itself once this host has not heard of its control plane for so long; null: it runs on. */
  stopsAfterMs: z.int().min(0).nullable(),
  /** A container of the namespace that becomes this replica as it runs, if it is there and no replica yet; else one is made. */
  adopts: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
});
export type ReplicaState = z.output<typeof replicaState>;

/** Instead of a replica or file that the control plane cannot read at the moment: the host keeps what it has of it. */
export const keptResource = z.object({ kept: z.string().max(MAX_REPLICA_TEXT) });

/** Content of a secret or config. */
export const stackFile = z.object({ base64: z.base64().max(1_400_000) });
export type StackFile = z.output<typeof stackFile>;

/**
 * `preparing`: image, networks, container. `starting`: runs, its health check has not passed yet. `running`: serves. `unhealthy`: runs and its
 * health check fails. `waiting`: failed, and will be tried again. `complete`: has ended well and stays so. `failed`: has ended and stays so.
 * `stopped`: this host has not heard of its control plane for too long.
 */
export const replicaPhase = z.enum(["preparing", "starting", "running", "unhealthy", "waiting", "complete", "failed", "stopped"]);
export type ReplicaPhase = z.output<typeof replicaPhase>;

/** What a host says of a replica, under the key that it has in desired state. */
export const observedReplica = z.object({
  revision: z.string().max(128),
  phase: replicaPhase,
  containerId: z.string().max(64).nullable(),
  imageId: z.string().max(128).nullable(),
  /** Starts after the first one. */
  restarts: z.int().min(0),
  exitCode: z.int().nullable(),
  /** Why it does not serve, in words; "" when it does. */
  reason: z.string().max(MAX_REPLICA_TEXT),
  /** Why it failed last, also when it serves again; "" when it never did. With `log` and `healthOutput` of then. */
  lastFailure: z.string().max(MAX_REPLICA_TEXT).default(""),
  /** How far a pull is, such as `pulling web:2: 40%`; "" otherwise. */
  progress: z.string().max(256),
  /** The last lines of its log when it failed last. */
  log: z.array(z.string().max(1_000)).max(MAX_REPLICA_LOG_LINES),
  /** Output of the last health check that failed. */
  healthOutput: z.string().max(MAX_REPLICA_TEXT),
});
export type ObservedReplica = z.output<typeof observedReplica>;
