import { FlotillaError } from "@flotilla/core";

/** Every capability of Linux up to 5.9, in the kernel's order (capability.h). */
export const ALL_CAPABILITIES: readonly string[] = [
  "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
  "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
  "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
  "PERFMON", "BPF", "CHECKPOINT_RESTORE",
].map((name) => `CAP_${name}`); // prettier-ignore

/** What a container has when nobody says otherwise: Docker's fourteen. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
  "SYS_CHROOT", "KILL", "AUDIT_WRITE",
].map((name) => `CAP_${name}`); // prettier-ignore

export type CapabilityRequest = { add: readonly string[]; drop: readonly string[]; isPrivileged: boolean };

/**
 * The capability set of a container, in the kernel's order. `ALL` may stand in either list; an added name wins over a
 * dropped ALL, a dropped name over an added ALL. Those that `available` (the agent's own bounding set) lacks are left out.
 * @throws invalid `invalid CapAdd: unknown capability: "CAP_X"`.
 */
export function resolveCapabilities(request: CapabilityRequest, available: ReadonlySet<string>): string[] {
  const add = normalise(request.add, "CapAdd");
  const drop = normalise(request.drop, "CapDrop");
  const isWanted = (capability: string): boolean => {
    if (request.isPrivileged) return true;
    if (add.has("ALL")) return !drop.has(capability);
    if (drop.has("ALL")) return add.has(capability);
    return add.has(capability) || (DEFAULT_CAPABILITIES.includes(capability) && !drop.has(capability));
  };
  return ALL_CAPABILITIES.filter((capability) => isWanted(capability) && available.has(capability));
}

function normalise(names: readonly string[], field: string): Set<string> {
  const result = new Set<string>();
  for (const name of names) {
    const upper = name.toUpperCase();
    if (upper === "ALL" || upper === "CAP_ALL") {
      result.add("ALL");
      continue;
    }
    const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
    if (!ALL_CAPABILITIES.includes(full)) throw new FlotillaError("invalid", `invalid ${field}: unknown capability: "${full}"`);
    result.add(full);
  }
  return result;
}

/** Names of the capabilities in a mask of /proc/PID/status (`CapBnd`, hexadecimal). */
export function capabilitiesOfMask(hex: string): Set<string> {
  const mask = BigInt(`0x${hex.trim() === "" ? "0" : hex.trim()}`);
  return new Set(ALL_CAPABILITIES.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n));
}
