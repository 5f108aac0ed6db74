import { z } from "zod";
import { Build } from "./build.ts";
import { Deploy } from "./deploy.ts";
import { Mount } from "./mount.ts";

const texts = z.array(z.string()).default([]);
const textMap = z.record(z.string(), z.string()).default({});
const flag = z.boolean().default(false);
const port = z.int().min(0).max(65_535);

/** One published port; ranges of the file are already one entry per port. */
export const PublishedPort = z.object({
  /** Port in the container. */
  target: port,
  protocol: z.enum(["tcp", "udp", "sctp"]).default("tcp"),
  /** Port of the host; absent: the engine chooses. With `publishedEnd`: the first of a range to choose a free one from. */
  published: port.optional(),
  publishedEnd: port.optional(),
  hostIp: z.string().optional(),
  /** `host`: on the hosts that run a replica; `ingress`: on every host of the stack. */
  mode: z.enum(["ingress", "host"]).default("ingress"),
  name: z.string().optional(),
  appProtocol: z.string().optional(),
});
export type PublishedPort = z.infer<typeof PublishedPort>;

/** How a service takes part in a network (a key of the project's networks). */
export const Attachment = z.object({
  aliases: texts,
  ipv4Address: z.string().optional(),
  ipv6Address: z.string().optional(),
  linkLocalIps: texts,
  macAddress: z.string().optional(),
  interfaceName: z.string().optional(),
  driverOpts: textMap,
  /** Higher ones are connected first. */
  priority: z.int().default(0),
  /** The highest gives the default route. */
  gatewayPriority: z.int().default(0),
});
export type Attachment = z.infer<typeof Attachment>;

export const Dependency = z.object({
  condition: z.enum(["service_started", "service_healthy", "service_completed_successfully"]).default("service_started"),
  /** false: a dependency that is missing or fails is only worth a warning. */
  isRequired: z.boolean().default(true),
  /** Whether an explicit restart or replacement of the dependency restarts this service. */
  restart: flag,
});
export type Dependency = z.infer<typeof Dependency>;

/** `test` is the engine's form: `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`; absent: the image's test with these times. */
export const Healthcheck = z.object({
  test: texts.optional(),
  intervalMs: z.number().optional(),
  timeoutMs: z.number().optional(),
  startPeriodMs: z.number().optional(),
  startIntervalMs: z.number().optional(),
  retries: z.int().optional(),
});
export type Healthcheck = z.infer<typeof Healthcheck>;

/** A secret or config as a service sees it. `source` is a key of the project's secrets or configs. */
export const FileReference = z.object({
  source: z.string(),
  /** Absolute path in the container: `/run/secrets/db` for secret `db`, `/conf` for config `conf`, unless the file says otherwise. */
  target: z.string(),
  uid: z.string().optional(),
  gid: z.string().optional(),
  /** Permission bits. */
  mode: z.int().optional(),
});
export type FileReference = z.infer<typeof FileReference>;

export const Device = z.object({ source: z.string(), target: z.string(), permissions: z.string().default("rwm") });

const DeviceRate = z.array(z.object({ path: z.string(), rate: z.int() })).default([]);
const DeviceRateBytes = z.array(z.object({ path: z.string(), rateBytes: z.int() })).default([]);

export const BlkioConfig = z.object({
  weight: z.int().optional(),
  weightDevice: z.array(z.object({ path: z.string(), weight: z.int() })).default([]),
  deviceReadBps: DeviceRateBytes,
  deviceReadIops: DeviceRate,
  deviceWriteBps: DeviceRateBytes,
  deviceWriteIops: DeviceRate,
});

/** A command run in the container after its start or before its stop. */
export const Hook = z.object({
  command: z.array(z.string()),
  user: z.string().optional(),
  isPrivileged: flag,
  workingDir: z.string().optional(),
  environment: z.record(z.string(), z.string().nullable()).default({}),
});

const ServiceIdentity = z.object({
  /** Always there: `<project>-<service>` when only `build` is given. */
  image: z.string(),
  build: Build.optional(),
  containerName: z.string().optional(),
  platform: z.string().optional(),
  pullPolicy: z.enum(["always", "never", "missing", "build", "refresh"]).optional(),
  /** `refresh`: pulled again when the image is older than this (`daily`, `weekly`, `every_12h`). */
  pullRefreshMs: z.number().optional(),
  profiles: texts,
  /** Container labels of the file, without those that compose itself adds. */
  labels: textMap,
  annotations: textMap,
  extensions: z.record(z.string(), z.unknown()).default({}),
});

const ServiceProcess = z.object({
  /** Absent: the image's. Empty: none. */
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  /** Everything, also from `env_file`. null: the variable is unset in the container even if the image sets it. */
  environment: z.record(z.string(), z.string().nullable()).default({}),
  user: z.string().optional(),
  groupAdd: texts,
  workingDir: z.string().optional(),
  tty: flag,
  stdinOpen: flag,
  init: z.boolean().optional(),
  stopSignal: z.string().optional(),
  stopGracePeriodMs: z.number().optional(),
  healthcheck: Healthcheck.optional(),
  postStart: z.array(Hook).default([]),
  preStop: z.array(Hook).default([]),
  /** false: `up` does not show its logs. */
  attach: z.boolean().default(true),
  logging: z.object({ driver: z.string().optional(), options: textMap }).optional(),
});

const ServiceNetwork = z.object({
  /** Keyed by the project's networks, in order of connection; empty with `networkMode`. */
  networks: z.record(z.string(), Attachment).default({}),
  /** `host`, `none`, `bridge`, `service:<name>`, `container:<id>`. */
  networkMode: z.string().optional(),
  ports: z.array(PublishedPort).default([]),
  /** `4222/tcp`. */
  expose: texts,
  hostname: z.string().optional(),
  domainname: z.string().optional(),
  macAddress: z.string().optional(),
  dns: texts,
  dnsSearch: texts,
  dnsOpt: texts,
  /** `name:address`. */
  extraHosts: texts,
  /** `service:alias`. */
  links: texts,
  /** `container:alias`. */
  externalLinks: texts,
});

const ServiceFiles = z.object({
  volumes: z.array(Mount).default([]),
  /** Path → mount options (`size=64m`), of the key `tmpfs`. */
  tmpfs: textMap,
  /** `service[:ro]` or `container:name[:ro]`. */
  volumesFrom: texts,
  secrets: z.array(FileReference).default([]),
  configs: z.array(FileReference).default([]),
  isReadOnly: flag,
  storageOpt: textMap,
  shmSizeBytes: z.int().optional(),
});

const ServiceIsolation = z.object({
  isPrivileged: flag,
  capAdd: texts,
  capDrop: texts,
  securityOpt: texts,
  devices: z.array(Device).default([]),
  deviceCgroupRules: texts,
  cgroup: z.enum(["host", "private"]).optional(),
  cgroupParent: z.string().optional(),
  ipc: z.string().optional(),
  pid: z.string().optional(),
  uts: z.string().optional(),
  usernsMode: z.string().optional(),
  isolation: z.string().optional(),
  runtime: z.string().optional(),
  sysctls: textMap,
  ulimits: z.record(z.string(), z.object({ soft: z.int(), hard: z.int() })).default({}),
  oomKillDisable: flag,
  oomScoreAdj: z.int().optional(),
});

/** What `deploy.resources` has no word for. */
const ServiceTuning = z.object({
  cpuShares: z.int().optional(),
  cpuQuotaUs: z.int().optional(),
  cpuPeriodUs: z.int().optional(),
  cpuRealtimeRuntimeUs: z.int().optional(),
  cpuRealtimePeriodUs: z.int().optional(),
  cpuset: z.string().optional(),
  cpuCount: z.int().optional(),
  cpuPercent: z.number().optional(),
  /** Memory and swap together; -1: unlimited swap. */
  memswapLimitBytes: z.int().optional(),
  memSwappiness: z.int().optional(),
  blkio: BlkioConfig.optional(),
});

/** A service of the project. */
export const Service = z.object({
  ...ServiceIdentity.shape,
  ...ServiceProcess.shape,
  ...ServiceNetwork.shape,
  ...ServiceFiles.shape,
  ...ServiceIsolation.shape,
  ...ServiceTuning.shape,
  /** `links`, `network_mode: service:x`, `volumes_from`, `ipc`/`pid: service:x` count as dependencies and are in here. */
  dependsOn: z.record(z.string(), Dependency).default({}),
  restart: z.object({ name: z.enum(["no", "always", "on-failure", "unless-stopped"]), maximumRetryCount: z.int().default(0) }).optional(),
  deploy: Deploy.default(() => Deploy.parse({})),
});
export type Service = z.infer<typeof Service>;
