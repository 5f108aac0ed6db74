import type { Resources } from "@flotilla/engine-api";
import type { OciDeviceRule, OciResources } from "./oci-spec.ts";
import type { SpecInput } from "./spec-input.ts";

const CPU_PERIOD_US = 100_000;
const NANOS_PER_CPU = 1_000_000_000;

/** `linux.resources` of a new container. */
export function planResources(input: SpecInput): OciResources {
  const rules = input.hostConfig.Privileged ? [{ allow: true, access: "rwm" }] : deviceRules(input);
  return { devices: rules, ...planLimits(input.hostConfig), ...planBlockIo(input) };
}

/** Memory, CPU and pids as the runtime's `update` takes them too. Only what is set: the rest stays as it is. */
export function planLimits(resources: Resources): OciResources {
  const memory = definedOnly({
    limit: positive(resources.Memory),
    reservation: positive(resources.MemoryReservation),
    swap: planSwap(resources),
    swappiness: resources.MemorySwappiness === -1 ? undefined : (resources.MemorySwappiness ?? undefined),
    disableOOMKiller: resources.OomKillDisable === true ? true : undefined,
  });
  const cpu = definedOnly({
    shares: positive(resources.CpuShares),
    ...planQuota(resources),
    realtimePeriod: positive(resources.CpuRealtimePeriod),
    realtimeRuntime: positive(resources.CpuRealtimeRuntime),
    cpus: resources.CpusetCpus === "" ? undefined : resources.CpusetCpus,
    mems: resources.CpusetMems === "" ? undefined : resources.CpusetMems,
  });
  const pids = resources.PidsLimit === null || resources.PidsLimit === 0 ? undefined : { limit: Math.max(-1, resources.PidsLimit) };
  return {
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(pids === undefined ? {} : { pids }),
  };
}

/** Memory plus swap in bytes; Docker gives as much swap as memory when nothing is said, -1 is unlimited. */
function planSwap(resources: Resources): number | undefined {
  if (resources.MemorySwap !== 0) return resources.MemorySwap;
  return resources.Memory > 0 ? resources.Memory * 2 : undefined;
}

function planQuota(resources: Resources): { quota?: number; period?: number } {
  if (resources.NanoCpus > 0) {
    return { quota: Math.round((resources.NanoCpus / NANOS_PER_CPU) * CPU_PERIOD_US), period: CPU_PERIOD_US };
  }
  return definedOnly({ quota: resources.CpuQuota === 0 ? undefined : resources.CpuQuota, period: positive(resources.CpuPeriod) });
}

function planBlockIo(input: SpecInput): Pick<OciResources, "blockIO"> {
  const { hostConfig, blockDevices } = input;
  const numbered = <T extends { Path: string }>(entries: readonly T[] | null) =>
    (entries ?? []).flatMap((entry) => {
      const device = blockDevices.get(entry.Path);
      return device === undefined ? [] : [{ entry, device }];
    });
  const throttle = (entries: readonly { Path: string; Rate: number }[] | null) =>
    nonEmpty(numbered(entries).map(({ entry, device }) => ({ ...device, rate: entry.Rate })));
  const blockIO = definedOnly({
    weight: positive(hostConfig.BlkioWeight),
    weightDevice: nonEmpty(numbered(hostConfig.BlkioWeightDevice).map(({ entry, device }) => ({ ...device, weight: entry.Weight }))),
    throttleReadBpsDevice: throttle(hostConfig.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttle(hostConfig.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttle(hostConfig.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttle(hostConfig.BlkioDeviceWriteIOps),
  });
  return Object.keys(blockIO).length === 0 ? {} : { blockIO };
}

/** null, zero, full, random, urandom, tty, console, ptmx, and the terminals of pts: what every container has. */
export const HARMLESS_DEVICES: readonly { type: string; major: number; minor?: number }[] = [
  ...[3, 5, 7, 8, 9].map((minor) => ({ type: "c", major: 1, minor })),
  ...[0, 1, 2].map((minor) => ({ type: "c", major: 5, minor })),
  { type: "c", major: 136 },
];

/** Deny everything, then the harmless character devices and what was asked for. */
function deviceRules(input: SpecInput): OciDeviceRule[] {
  return [
    { allow: false, access: "rwm" },
    ...HARMLESS_DEVICES.map((device) => ({ allow: true, ...device, access: "rwm" })),
    ...input.devices.map((device) => ({ allow: true, type: device.type, major: device.major, minor: device.minor, access: device.access })),
    ...(input.hostConfig.DeviceCgroupRules ?? []).map(parseDeviceCgroupRule),
  ];
}

/** Shape of `--device-cgroup-rule`: "c 10:200 rwm", numbers may be `*`. */
export const DEVICE_CGROUP_RULE = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/;

function parseDeviceCgroupRule(rule: string): OciDeviceRule {
  const [, type = "a", major = "*", minor = "*", access = "rwm"] = DEVICE_CGROUP_RULE.exec(rule) ?? [];
  return {
    allow: true,
    type,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  };
}

const positive = (value: number): number | undefined => (value > 0 ? value : undefined);
const nonEmpty = <T>(list: T[]): T[] | undefined => (list.length === 0 ? undefined : list);

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function definedOnly<T extends object>(record: T): Defined<T> {
  const result: Defined<T> = {};
  for (const key of Object.keys(record) as (keyof T)[]) {
    const value = record[key];
    if (value !== undefined) result[key] = value as Exclude<T[keyof T], undefined>;
  }
  return result;
}
