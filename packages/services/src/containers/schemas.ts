import { z } from "zod";
import { hostRef } from "../hosts/schemas.ts";

/** Container in inputs: its name or id, as Docker takes them. */
export const containerRef = z
  .string()
  .min(1)
  .max(255)
  .regex(/^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, "must be a container's name or id");
export const containerInput = z.object({ host: hostRef, id: containerRef });

export const CONTAINER_ACTIONS = ["start", "stop", "restart", "kill", "pause", "unpause"] as const;

const port = z.int().min(1).max(65_535);
const pair = z.object({ name: z.string().min(1).max(4096), value: z.string().max(131_072) });
const texts = (max: number) => z.array(z.string().max(32_768)).max(max);

/** What a person asks to run: the dashboard's form, or a parsed `docker run` line. */
export const runSpec = z.object({
  image: z.string().min(1).max(512),
  name: containerRef.optional(),
  command: texts(1000).optional(),
  entrypoint: texts(100).optional(),
  env: z.array(pair).max(1000).default([]),
  ports: z
    .array(
      z.object({
        hostIp: z.string().max(64).optional(),
        hostPort: port.optional(),
        containerPort: port,
        protocol: z.enum(["tcp", "udp"]).default("tcp"),
      }),
    )
    .max(2000)
    .default([]),
  publishAll: z.boolean().default(false),
  mounts: z
    .array(
      z.object({
        kind: z.enum(["bind", "volume", "tmpfs"]),
        source: z.string().max(4096).optional(),
        target: z.string().min(1).max(4096),
        readOnly: z.boolean().default(false),
      }),
    )
    .max(200)
    .default([]),
  restart: z
    .object({ name: z.enum(["no", "always", "unless-stopped", "on-failure"]), maximumRetryCount: z.int().min(0).max(1_000_000).optional() })
    .default({ name: "no" }),
  network: z.string().max(255).optional(),
  hostname: z.string().max(253).optional(),
  user: z.string().max(255).optional(),
  workingDir: z.string().max(4096).optional(),
  tty: z.boolean().default(false),
  interactive: z.boolean().default(false),
  autoRemove: z.boolean().default(false),
  privileged: z.boolean().default(false),
  init: z.boolean().default(false),
  readOnly: z.boolean().default(false),
  memoryBytes: z.int().min(0).optional(),
  cpus: z.number().min(0).max(10_000).optional(),
  cpuShares: z.int().min(0).max(262_144).optional(),
  pidsLimit: z.int().min(-1).optional(),
  shmSizeBytes: z.int().min(0).optional(),
  labels: z.array(pair).max(1000).default([]),
  capAdd: texts(64).default([]),
  capDrop: texts(64).default([]),
  dns: texts(16).default([]),
  extraHosts: texts(100).default([]),
  devices: z
    .array(z.object({ hostPath: z.string().max(4096), containerPath: z.string().max(4096), permissions: z.string().max(3) }))
    .max(64)
    .default([]),
  securityOpt: texts(32).default([]),
  ulimits: z
    .array(z.object({ name: z.string().max(32), soft: z.int(), hard: z.int() }))
    .max(32)
    .default([]),
  stopSignal: z.string().max(32).optional(),
  stopTimeoutSeconds: z.int().min(-1).optional(),
});
export type RunSpec = z.output<typeof runSpec>;
export type RunSpecInput = z.input<typeof runSpec>;
