import { z } from "zod";

/** `update_config` and `rollback_config`, with the specification's defaults filled in. */
export const RolloutConfig = z.object({
  /** Replicas changed at once; 0 means all. */
  parallelism: z.int().min(0).default(1),
  /** Between one group of replicas and the next. */
  delayMs: z.number().min(0).default(0),
  failureAction: z.enum(["continue", "pause", "rollback"]).default("pause"),
  /** How long a new replica is watched for failure after it has started. */
  monitorMs: z.number().min(0).default(5000),
  /** Share of failed replicas that is tolerated, 0 to 1. */
  maxFailureRatio: z.number().min(0).max(1).default(0),
  order: z.enum(["stop-first", "start-first"]).default("stop-first"),
});
export type RolloutConfig = z.infer<typeof RolloutConfig>;

/** `deploy.restart_policy`; when it is there it counts instead of `restart`. */
export const RestartPolicy = z.object({
  condition: z.enum(["none", "on-failure", "any"]).default("any"),
  delayMs: z.number().min(0).default(0),
  /** Absent: never give up. */
  maxAttempts: z.int().min(0).optional(),
  windowMs: z.number().min(0).default(0),
});
export type RestartPolicy = z.infer<typeof RestartPolicy>;

/** A device asked for by capability (`gpu`). */
export const DeviceRequest = z.object({
  capabilities: z.array(z.string()).default([]),
  driver: z.string().optional(),
  /** -1: all. */
  count: z.int().optional(),
  deviceIds: z.array(z.string()).default([]),
  options: z.record(z.string(), z.string()).default({}),
});

/** Limits and reservations of one replica. Also holds `cpus`, `mem_limit`, `mem_reservation` and `pids_limit` of the service. */
export const Resources = z.object({
  limits: z
    .object({
      /** Processors, e.g. 0.5. */
      cpus: z.number().min(0).optional(),
      memoryBytes: z.int().min(0).optional(),
      pids: z.int().optional(),
    })
    .default({}),
  reservations: z
    .object({
      cpus: z.number().min(0).optional(),
      memoryBytes: z.int().min(0).optional(),
      devices: z.array(DeviceRequest).default([]),
      /** Discrete resources by kind: `{ ssd: 2 }`. */
      genericResources: z.record(z.string(), z.int()).default({}),
    })
    .default(() => ({ devices: [], genericResources: {} })),
});
export type Resources = z.infer<typeof Resources>;

/** Where and how many replicas run. */
export const Deploy = z.object({
  mode: z.enum(["replicated", "global", "replicated-job", "global-job"]).default("replicated"),
  /** Of the replicated modes. `scale` of the service is the same number. */
  replicas: z.int().min(0).default(1),
  endpointMode: z.enum(["vip", "dnsrr"]).default("vip"),
  /** Labels of the service, not of its containers. */
  labels: z.record(z.string(), z.string()).default({}),
  placement: z
    .object({
      /** As written: `node.labels.disk == ssd`. */
      constraints: z.array(z.string()).default([]),
      /** Labels to spread over: `node.labels.zone`. */
      spread: z.array(z.string()).default([]),
      /** 0: no limit. */
      maxReplicasPerHost: z.int().min(0).default(0),
    })
    .default(() => ({ constraints: [], spread: [], maxReplicasPerHost: 0 })),
  resources: Resources.default(() => Resources.parse({})),
  updateConfig: RolloutConfig.optional(),
  rollbackConfig: RolloutConfig.optional(),
  restartPolicy: RestartPolicy.optional(),
  /** `x-…` keys below `deploy`. */
  extensions: z.record(z.string(), z.unknown()).default({}),
});
export type Deploy = z.infer<typeof Deploy>;
