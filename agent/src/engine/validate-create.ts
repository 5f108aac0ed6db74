import { isIPv4 } from "node:net";
import { FlotillaError } from "@flotilla/core";
import type { ContainerConfig, HostConfig, Resources } from "@flotilla/engine-api";
import { resolveCapabilities } from "../runtime/capabilities.ts";
import { parseSecurityOptions } from "../runtime/security-options.ts";
import { assertUlimit } from "../runtime/spec-process.ts";
import { DEVICE_CGROUP_RULE } from "../runtime/spec-resources.ts";
import { planPorts } from "./port-specs.ts";
import { parseSignal } from "./signals.ts";

/** What a machine can give. */
export type MachineLimits = { cpus: number };

const MIN_MEMORY_BYTES = 6 * 1024 * 1024;
const NANOS_PER_CPU = 1_000_000_000;
const MIN_CPU_PERIOD_US = 1_000;
const MAX_CPU_PERIOD_US = 1_000_000;

const refuse = (message: string): never => {
  throw new FlotillaError("invalid", message);
};

/** Refuses what cannot be, in Docker's words, before anything is made. The image's configuration is already merged in. */
export function validateCreate(config: ContainerConfig, hostConfig: HostConfig, machine: MachineLimits): void {
  validateConfig(config);
  validateHostConfig(hostConfig);
  validateNetworkMode(config, hostConfig);
  validateResources(hostConfig, machine);
  planPorts(config, hostConfig);
  parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  resolveCapabilities({ add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [], isPrivileged: false }, new Set());
}

function validateConfig(config: ContainerConfig): void {
  if (config.StopSignal !== undefined && config.StopSignal !== "") parseSignal(config.StopSignal);
  if (config.WorkingDir !== "" && !config.WorkingDir.startsWith("/")) {
    refuse(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  for (const entry of config.Env ?? []) {
    if (entry === "" || entry.startsWith("=")) refuse(`invalid environment variable: ${entry}`);
    if (entry.includes("\0")) refuse("invalid environment variable: it holds a NUL byte");
  }
  if ([...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].some((word) => word.includes("\0")))
    refuse("invalid command: it holds a NUL byte");
  if (!/^[^\s/]{0,64}$/.test(config.Hostname)) refuse(`invalid hostname format: ${config.Hostname}`);
  validateHealthcheck(config);
}

function validateHealthcheck(config: ContainerConfig): void {
  const health = config.Healthcheck;
  if (health === undefined) return;
  const check = (name: string, value: number | undefined): void => {
    if (value !== undefined && value !== 0 && value < 1_000_000) refuse(`${name} in Healthcheck cannot be less than 1ms`);
  };
  check("Interval", health.Interval);
  check("Timeout", health.Timeout);
  check("StartPeriod", health.StartPeriod);
  check("StartInterval", health.StartInterval);
  if ((health.Retries ?? 0) < 0) refuse("Retries in Healthcheck cannot be negative");
}

function validateHostConfig(hostConfig: HostConfig): void {
  validateRestartPolicy(hostConfig);
  if (hostConfig.ShmSize < 0) refuse("SHM size can not be less than 0");
  if (hostConfig.OomScoreAdj < -1000 || hostConfig.OomScoreAdj > 1000) {
    refuse(`Invalid value ${hostConfig.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  for (const ulimit of hostConfig.Ulimits ?? []) assertUlimit(ulimit);
  for (const rule of hostConfig.DeviceCgroupRules ?? [])
    if (!DEVICE_CGROUP_RULE.test(rule)) refuse(`invalid device cgroup rule format: '${rule}'`);
  for (const device of hostConfig.Devices ?? []) {
    if (!/^[rwm]{0,3}$/.test(device.CgroupPermissions)) refuse(`invalid device mode: ${device.CgroupPermissions}`);
  }
  if ((hostConfig.DeviceRequests ?? []).length > 0) refuse('could not select device driver "" with capabilities: [[gpu]]');
  for (const entry of hostConfig.ExtraHosts ?? []) validateExtraHost(entry);
  for (const name of Object.keys(hostConfig.Annotations ?? {})) {
    // crun takes orders by annotation: a raw seccomp filter, another handler, other files. Those are the engine's to give.
    if (name === "" || name.startsWith("run.oci.")) refuse(`invalid annotation: "${name}" is reserved`);
  }
  validateModes(hostConfig);
  const logDriver = hostConfig.LogConfig.Type;
  if (!["", "json-file", "local", "k8s-file"].includes(logDriver)) refuse(`logger: no log driver named '${logDriver}' is registered`);
  if (hostConfig.Runtime !== "" && !["runc", "crun", "io.containerd.runc.v2"].includes(hostConfig.Runtime)) {
    refuse(`unknown or invalid runtime name: ${hostConfig.Runtime}`);
  }
  if (Object.keys(hostConfig.StorageOpt ?? {}).length > 0) refuse("--storage-opt is not supported by this engine");
}

/** `name:address`, `name=address`, or `host-gateway` for the address of the host. */
function validateExtraHost(entry: string): void {
  const { name, address } = splitExtraHost(entry);
  if (name === "" || address === "") refuse(`bad format for add-host: "${entry}"`);
  if (address !== "host-gateway" && !isIPv4(address) && !address.includes(":")) refuse(`invalid IP address in add-host: "${address}"`);
}

/** Both halves of an `--add-host` entry. */
export function splitExtraHost(entry: string): { name: string; address: string } {
  const at = entry.search(/[:=]/);
  return at < 0 ? { name: entry, address: "" } : { name: entry.slice(0, at), address: entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1") };
}

export function validateRestartPolicy(hostConfig: Pick<HostConfig, "RestartPolicy" | "AutoRemove">): void {
  const { Name: name, MaximumRetryCount: count } = hostConfig.RestartPolicy;
  if (!["", "no", "always", "on-failure", "unless-stopped"].includes(name))
    refuse(`invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  if (count < 0) refuse("invalid restart policy: maximum retry count cannot be negative");
  if (count > 0 && name !== "on-failure") refuse("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  if (hostConfig.AutoRemove && name !== "" && name !== "no") refuse("can't create 'AutoRemove' container with restart policy");
}

function validateModes(hostConfig: HostConfig): void {
  const isContainer = (mode: string): boolean => /^container:.+/.test(mode);
  if (!["", "none", "private", "shareable", "host"].includes(hostConfig.IpcMode) && !isContainer(hostConfig.IpcMode)) {
    refuse(`invalid IPC mode: ${hostConfig.IpcMode}`);
  }
  if (!["", "host"].includes(hostConfig.PidMode) && !isContainer(hostConfig.PidMode)) refuse(`invalid PID mode: ${hostConfig.PidMode}`);
  if (!["", "host"].includes(hostConfig.UTSMode)) refuse(`invalid UTS mode: ${hostConfig.UTSMode}`);
  if (!["", "host"].includes(hostConfig.UsernsMode)) refuse(`invalid user namespace mode: ${hostConfig.UsernsMode}`);
  if (!["", "host", "private"].includes(hostConfig.CgroupnsMode)) refuse(`invalid cgroup namespace mode: ${hostConfig.CgroupnsMode}`);
}

function validateNetworkMode(config: ContainerConfig, hostConfig: HostConfig): void {
  const mode = hostConfig.NetworkMode;
  const conflict = (what: string, other: string): never => refuse(`conflicting options: ${what} and the ${other} network mode`);
  if (mode === "container:") refuse("Invalid network mode: invalid container format container:<name|id>");
  if (mode.startsWith("container:")) {
    if (config.Hostname !== "") conflict("hostname", "container type");
    if ((hostConfig.Links ?? []).length > 0) conflict("links", "container type");
    if ((hostConfig.Dns ?? []).length > 0) conflict("dns", "container type");
    if ((hostConfig.ExtraHosts ?? []).length > 0) conflict("custom host-to-IP mapping", "container type");
    if (config.MacAddress !== undefined && config.MacAddress !== "") conflict("mac-address", "container type");
    if (Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts) conflict("port publishing", "container type");
    if (config.ExposedPorts !== undefined && Object.keys(config.ExposedPorts).length > 0) conflict("port exposing", "container type");
  }
  if (hostConfig.UTSMode === "host" && config.Hostname !== "") refuse("conflicting options: hostname and the UTS mode");
  if (mode === "host" && (hostConfig.Links ?? []).length > 0)
    refuse("conflicting options: host type networking can't be used with links. This would result in undefined behavior");
}

/** Limits of create and of update. @throws invalid. */
export function validateResources(resources: Resources, machine: MachineLimits): void {
  validateMemory(resources);
  validateCpu(resources, machine);
  if (resources.BlkioWeight !== 0 && (resources.BlkioWeight < 10 || resources.BlkioWeight > 1000))
    refuse("Range of blkio weight is from 10 to 1000");
  for (const set of [resources.CpusetCpus, resources.CpusetMems]) {
    if (set !== "" && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(set)) refuse(`Invalid value ${set} for cpuset cpus.`);
  }
  const highest = Math.max(-1, ...[...resources.CpusetCpus.matchAll(/\d+/g)].map((match) => Number(match[0])));
  if (highest >= machine.cpus)
    refuse(`Requested CPUs are not available - requested ${resources.CpusetCpus}, available: 0-${machine.cpus - 1}.`);
}

function validateMemory(resources: Resources): void {
  const { Memory: memory, MemorySwap: swap, MemoryReservation: reservation, MemorySwappiness: swappiness } = resources;
  if (memory !== 0 && memory < MIN_MEMORY_BYTES) refuse("Minimum memory limit allowed is 6MB");
  if (swap > 0 && memory > 0 && swap < memory) refuse("Minimum memoryswap limit should be larger than memory limit, see usage");
  if (swap > 0 && memory === 0) refuse("You should always set the Memory limit when using Memoryswap limit, see usage");
  if (reservation !== 0 && reservation < MIN_MEMORY_BYTES) refuse("Minimum memory reservation allowed is 6MB");
  if (memory > 0 && reservation > memory) refuse("Minimum memory limit can not be less than memory reservation limit, see usage");
  if (swappiness !== null && (swappiness < -1 || swappiness > 100))
    refuse(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
}

function validateCpu(resources: Resources, machine: MachineLimits): void {
  const { NanoCpus: nanos, CpuPeriod: period, CpuQuota: quota } = resources;
  if (nanos > 0 && period > 0) refuse("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (nanos > 0 && quota > 0) refuse("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  if (nanos < 0 || nanos > machine.cpus * NANOS_PER_CPU) {
    refuse(`Range of CPUs is from 0.01 to ${machine.cpus}.00, as there are only ${machine.cpus} CPUs available`);
  }
  if (period !== 0 && (period < MIN_CPU_PERIOD_US || period > MAX_CPU_PERIOD_US))
    refuse("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (quota > 0 && quota < MIN_CPU_PERIOD_US) refuse("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  if (resources.CpuShares < 0) refuse(`invalid CPU shares: ${resources.CpuShares}`);
}
