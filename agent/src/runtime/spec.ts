// From a container and what the host made for it to an OCI runtime specification. Pure: same input, same spec.
import type { HostConfig } from "@flotilla/engine-api";
import { resolveCapabilities } from "./capabilities.ts";
import type { OciNamespace, OciSpec } from "./oci-spec.ts";
import { resolveSeccomp } from "./seccomp.ts";
import { planProcess, UNLIMITED } from "./spec-process.ts";
import type { SpecInput, SpecNamespaces } from "./spec-input.ts";
import { planMounts } from "./spec-mounts.ts";
import { planResources } from "./spec-resources.ts";
import { parseSecurityOptions } from "./security-options.ts";

export type SpecResult = { spec: OciSpec; warnings: string[] };

export const DEFAULT_MASKED_PATHS: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

export const DEFAULT_READONLY_PATHS: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Builds config.json. @throws invalid for capabilities, ulimits or security options that do not exist. */
export function buildSpec(input: SpecInput): SpecResult {
  const { hostConfig, facts } = input;
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const capabilities = resolveCapabilities(
    { add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [], isPrivileged: hostConfig.Privileged },
    facts.capabilities,
  );
  const { process, warnings } = planProcess(input, { capabilities, isNoNewPrivileges: security.isNoNewPrivileges });
  const profile = security.seccomp === "default" ? facts.seccompProfile : security.seccomp;
  const isConfined = !hostConfig.Privileged && profile !== "unconfined" && profile !== undefined;
  const mounts = planMounts(input);
  const spec: OciSpec = {
    ociVersion: "1.0.2",
    process,
    root: { path: input.rootfs, readonly: hostConfig.ReadonlyRootfs },
    ...(input.namespaces.uts.kind === "private" ? { hostname: input.hostname } : {}),
    mounts: mounts.mounts,
    ...(hostConfig.Annotations === undefined ? {} : { annotations: hostConfig.Annotations }),
    linux: {
      namespaces: planNamespaces(input.namespaces),
      devices: input.devices.map(({ access: _access, ...device }) => device),
      cgroupsPath: input.cgroupPath,
      resources: planResources(input),
      ...(mounts.rootfsPropagation === undefined ? {} : { rootfsPropagation: mounts.rootfsPropagation }),
      ...(isConfined
        ? { seccomp: resolveSeccomp(profile, { capabilities, architecture: facts.architecture, kernelRelease: facts.kernelRelease }) }
        : {}),
      sysctl: planSysctls(input),
      ...planPaths(hostConfig),
    },
  };
  return { spec, warnings };
}

/** config.json as text, with unlimited rlimits as the kernel writes them (2^64 - 1). */
export function formatSpec(spec: OciSpec): string {
  return JSON.stringify(spec).replaceAll(`:${UNLIMITED}`, ":18446744073709551615");
}

function planNamespaces(choices: SpecNamespaces): OciNamespace[] {
  const namespaces: OciNamespace[] = [{ type: "mount" }];
  for (const type of ["network", "pid", "ipc", "uts", "cgroup"] as const) {
    const choice = choices[type];
    if (choice.kind === "private") namespaces.push({ type });
    if (choice.kind === "path") namespaces.push({ type, path: choice.path });
  }
  return namespaces;
}

function planPaths(hostConfig: HostConfig): { maskedPaths?: string[]; readonlyPaths?: string[] } {
  if (hostConfig.Privileged) return {};
  return {
    maskedPaths: [...(hostConfig.MaskedPaths ?? DEFAULT_MASKED_PATHS)],
    readonlyPaths: [...(hostConfig.ReadonlyPaths ?? DEFAULT_READONLY_PATHS)],
  };
}

/** A container's own network lets any user bind low ports and ping, as Docker does since 20.10. */
function planSysctls(input: SpecInput): Record<string, string> {
  const isOwnNetwork = input.namespaces.network.kind === "path" && !input.hostConfig.NetworkMode.startsWith("container:");
  const defaults = isOwnNetwork ? { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" } : {};
  const domainname =
    input.config.Domainname === "" || input.namespaces.uts.kind !== "private" ? {} : { "kernel.domainname": input.config.Domainname };
  return { ...defaults, ...domainname, ...input.hostConfig.Sysctls };
}
