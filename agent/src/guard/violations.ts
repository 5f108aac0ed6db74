// Guard rails: what a finished OCI specification has that its namespace may not have. The one place that knows the rules;
// everything that makes, changes, starts or enters a container asks here. Pure. docs/design/guard-rails.md.
import { isDeepStrictEqual } from "node:util";
import type { GuardAllow } from "@flotilla/protocol";
import { DEFAULT_CAPABILITIES } from "../runtime/capabilities.ts";
import type { OciDeviceRule, OciSpec } from "../runtime/oci-spec.ts";
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from "../runtime/spec.ts";
import { HARMLESS_DEVICES } from "../runtime/spec-resources.ts";
import { findBindViolations } from "./bind-rules.ts";
import type { GuardFacts, HostNamespace, Violation } from "./guard-facts.ts";
import { findSysctlViolations } from "./sysctl-rules.ts";

/** Everything that `allow` does not allow of a specification, the most telling first. */
export function findViolations(spec: OciSpec, allow: GuardAllow, facts: GuardFacts): Violation[] {
  const isPrivileged = wantsEverything(spec);
  if (isPrivileged && !allow.privileged) return [{ rule: "privileged", value: "true", message: "a privileged container" }];
  return [
    ...(isPrivileged ? [] : findPrivileges(spec, allow, facts)),
    ...findNamespaces(spec, allow, facts),
    ...findBindViolations(spec, allow, facts),
    ...findSysctlViolations(spec, allow),
    ...findCgroup(spec, facts),
    ...findOomProtection(spec, allow),
  ];
}

/** A rule for all devices, or a writable /sys or cgroup tree: `--privileged`, as it stands in a specification. */
function wantsEverything({ mounts, linux }: OciSpec): boolean {
  const isOpen = (rule: OciDeviceRule): boolean => rule.allow && (rule.type === undefined || rule.type === "a") && rule.major === undefined;
  const isWritable = (type: string): boolean => mounts.some((mount) => mount.type === type && !(mount.options ?? []).includes("ro"));
  return (linux.resources.devices ?? []).some(isOpen) || isWritable("sysfs") || isWritable("cgroup");
}

function findPrivileges(spec: OciSpec, allow: GuardAllow, facts: GuardFacts): Violation[] {
  const found: Violation[] = [];
  const names = spec.process.capabilities?.bounding ?? [];
  const mayHave = new Set([...DEFAULT_CAPABILITIES, ...allow.capabilities]);
  for (const name of allow.capabilities.includes("ALL") || allow.privileged ? [] : names) {
    if (!mayHave.has(name)) found.push({ rule: "capabilities", value: name, message: `the capability ${name}` });
  }
  if (!allow.privileged) found.push(...findDevices(spec, facts));
  if (!allow.seccompUnconfined && !isDeepStrictEqual(spec.linux.seccomp, facts.seccomp)) {
    const value = spec.linux.seccomp === undefined ? "unconfined" : "profile";
    found.push({ rule: "seccompUnconfined", value, message: "a seccomp profile other than the engine's" });
  }
  const masked = new Set(spec.linux.maskedPaths);
  const readOnly = new Set(spec.linux.readonlyPaths);
  const open = [
    ...DEFAULT_MASKED_PATHS.filter((path) => !masked.has(path)),
    ...DEFAULT_READONLY_PATHS.filter((path) => !readOnly.has(path) && !masked.has(path)),
  ];
  const [first] = allow.unmaskedPaths ? [] : open;
  if (first !== undefined) found.push({ rule: "unmaskedPaths", value: first, message: `an open ${first}` });
  return found;
}

function findDevices({ linux }: OciSpec, { devices }: GuardFacts): Violation[] {
  const isAllowed = (type: string | undefined, major: number | undefined, minor: number | undefined): boolean =>
    devices.some((known) => known.type === type && known.major === major && known.minor === minor);
  const nodes = (linux.devices ?? [])
    .filter((node) => !isAllowed(node.type, node.major, node.minor))
    .map((node): Violation => ({ rule: "devices", value: node.path, message: `the device ${node.path}` }));
  if (nodes.length > 0) return nodes;
  return (linux.resources.devices ?? [])
    .filter(({ allow, type, major, minor }) => allow && !isHarmless({ type, major, minor }) && !isAllowed(type, major, minor))
    .map(({ type = "a", major = "*", minor = "*" }): Violation => {
      const value = `${type} ${major}:${minor}`;
      return { rule: "devices", value, message: `devices ${value}` };
    });
}

function isHarmless({ type, major, minor }: Pick<OciDeviceRule, "type" | "major" | "minor">): boolean {
  return HARMLESS_DEVICES.some((known) => known.type === type && known.major === major && known.minor === minor);
}

function findNamespaces({ linux }: OciSpec, allow: GuardAllow, facts: GuardFacts): Violation[] {
  const isHosts = (type: HostNamespace | "cgroup"): boolean => {
    const own = linux.namespaces.find((namespace) => namespace.type === type);
    return own === undefined || (own.path !== undefined && type !== "cgroup" && facts.joined.has(type));
  };
  const rules: readonly [boolean, Violation][] = [
    [isHosts("network") && !allow.hostNetwork, { rule: "hostNetwork", value: "host", message: "the host's network" }],
    [isHosts("pid") && !allow.hostPid, { rule: "hostPid", value: "host", message: "the host's processes" }],
    [isHosts("ipc") && !allow.hostIpc, { rule: "hostIpc", value: "host", message: "the host's shared memory" }],
    // With the host's network comes its name, unless another one is asked for.
    [
      isHosts("uts") && !allow.hostUts && !(isHosts("network") && allow.hostNetwork),
      { rule: "hostUts", value: "host", message: "the host's name" },
    ],
    [
      facts.hasCgroupNamespaces && isHosts("cgroup") && !allow.hostCgroup,
      { rule: "hostCgroup", value: "host", message: "the host's cgroup namespace" },
    ],
  ];
  return rules.filter(([isBroken]) => isBroken).map(([, violation]) => violation);
}

/** The engine puts every container there by itself; a specification that says otherwise is an error of ours. */
function findCgroup({ linux }: OciSpec, { cgroupParent }: GuardFacts): Violation[] {
  const isBelow = linux.cgroupsPath.startsWith(`${cgroupParent}/`) && !linux.cgroupsPath.split("/").includes("..");
  return isBelow ? [] : [{ rule: "cgroup", value: linux.cgroupsPath, message: `the cgroup ${linux.cgroupsPath}` }];
}

function findOomProtection({ process, linux }: OciSpec, allow: GuardAllow): Violation[] {
  if (allow.oomProtection || allow.privileged) return [];
  const score = process.oomScoreAdj ?? 0;
  if (score < 0) return [{ rule: "oomProtection", value: String(score), message: `an OOM score of ${score}` }];
  if (linux.resources.memory?.disableOOMKiller !== true) return [];
  return [{ rule: "oomProtection", value: "disabled", message: "memory without the OOM killer" }];
}
