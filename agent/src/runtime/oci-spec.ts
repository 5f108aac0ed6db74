import { z } from "zod";

// The part of the OCI runtime specification (config.md, config-linux.md; version 1.0.2) that this engine writes.

export const OciMount = z.object({
  destination: z.string(),
  type: z.string().optional(),
  source: z.string().optional(),
  options: z.array(z.string()).optional(),
});
export type OciMount = z.output<typeof OciMount>;

export const SeccompSyscall = z.object({
  names: z.array(z.string()),
  action: z.string(),
  errnoRet: z.int().optional(),
  args: z
    .array(
      z
        .object({ index: z.int(), value: z.number(), valueTwo: z.number().nullish(), op: z.string() })
        .transform((arg) => ({ index: arg.index, value: arg.value, op: arg.op, ...(arg.valueTwo ? { valueTwo: arg.valueTwo } : {}) })),
    )
    .optional(),
});

export const OciSeccomp = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.int().optional(),
  architectures: z.array(z.string()).optional(),
  flags: z.array(z.string()).optional(),
  syscalls: z.array(SeccompSyscall),
});
export type OciSeccomp = z.output<typeof OciSeccomp>;

export const OciDevice = z.object({
  type: z.enum(["c", "b", "u", "p"]),
  path: z.string(),
  major: z.int(),
  minor: z.int(),
  fileMode: z.int(),
  uid: z.int(),
  gid: z.int(),
});
export type OciDevice = z.output<typeof OciDevice>;

export const OciDeviceRule = z.object({
  allow: z.boolean(),
  type: z.string().optional(),
  major: z.int().optional(),
  minor: z.int().optional(),
  access: z.string().optional(),
});
export type OciDeviceRule = z.output<typeof OciDeviceRule>;

const Throttle = z.object({ major: z.int(), minor: z.int(), rate: z.int() });

/** `linux.resources`; also what `update` of the runtime reads. */
export const OciResources = z.object({
  devices: z.array(OciDeviceRule).optional(),
  memory: z
    .object({
      limit: z.int().optional(),
      reservation: z.int().optional(),
      swap: z.int().optional(),
      swappiness: z.int().optional(),
      disableOOMKiller: z.boolean().optional(),
    })
    .optional(),
  cpu: z
    .object({
      shares: z.int().optional(),
      quota: z.int().optional(),
      period: z.int().optional(),
      realtimePeriod: z.int().optional(),
      realtimeRuntime: z.int().optional(),
      cpus: z.string().optional(),
      mems: z.string().optional(),
    })
    .optional(),
  pids: z.object({ limit: z.int() }).optional(),
  blockIO: z
    .object({
      weight: z.int().optional(),
      weightDevice: z.array(z.object({ major: z.int(), minor: z.int(), weight: z.int() })).optional(),
      throttleReadBpsDevice: z.array(Throttle).optional(),
      throttleWriteBpsDevice: z.array(Throttle).optional(),
      throttleReadIOPSDevice: z.array(Throttle).optional(),
      throttleWriteIOPSDevice: z.array(Throttle).optional(),
    })
    .optional(),
});
export type OciResources = z.output<typeof OciResources>;

export const OciUser = z.object({ uid: z.int(), gid: z.int(), umask: z.int().optional(), additionalGids: z.array(z.int()).optional() });
export type OciUser = z.output<typeof OciUser>;

const CapabilitySets = z.object({
  bounding: z.array(z.string()),
  effective: z.array(z.string()),
  permitted: z.array(z.string()),
  inheritable: z.array(z.string()).optional(),
  ambient: z.array(z.string()).optional(),
});

/** `process`; `exec` of the runtime reads one of its own. */
export const OciProcess = z.object({
  terminal: z.boolean().optional(),
  consoleSize: z.object({ height: z.int(), width: z.int() }).optional(),
  user: OciUser,
  args: z.array(z.string()),
  env: z.array(z.string()),
  cwd: z.string(),
  capabilities: CapabilitySets.optional(),
  rlimits: z.array(z.object({ type: z.string(), soft: z.int(), hard: z.int() })).optional(),
  noNewPrivileges: z.boolean().optional(),
  oomScoreAdj: z.int().optional(),
});
export type OciProcess = z.output<typeof OciProcess>;

export const OciNamespace = z.object({
  type: z.enum(["pid", "network", "mount", "ipc", "uts", "user", "cgroup"]),
  path: z.string().optional(),
});
export type OciNamespace = z.output<typeof OciNamespace>;

/** config.json of a bundle. */
export const OciSpec = z.object({
  ociVersion: z.string(),
  process: OciProcess,
  root: z.object({ path: z.string(), readonly: z.boolean() }),
  hostname: z.string().optional(),
  domainname: z.string().optional(),
  mounts: z.array(OciMount),
  annotations: z.record(z.string(), z.string()).optional(),
  linux: z.object({
    namespaces: z.array(OciNamespace),
    devices: z.array(OciDevice).optional(),
    cgroupsPath: z.string(),
    resources: OciResources,
    rootfsPropagation: z.string().optional(),
    seccomp: OciSeccomp.optional(),
    sysctl: z.record(z.string(), z.string()).optional(),
    maskedPaths: z.array(z.string()).optional(),
    readonlyPaths: z.array(z.string()).optional(),
  }),
});
export type OciSpec = z.output<typeof OciSpec>;
