import type { OciMount } from "./oci-spec.ts";
import type { SpecInput, SpecMount } from "./spec-input.ts";

/** Docker's defaults for `--tmpfs`; what the user names wins. */
export const TMPFS_DEFAULTS: readonly string[] = ["noexec", "nosuid", "nodev"];

export type MountPlan = { mounts: OciMount[]; rootfsPropagation: string | undefined };

/** All mounts of a container, parents before children; a user's mount replaces a default one of the same place. */
export function planMounts(input: SpecInput): MountPlan {
  const requested = input.mounts.map(toOciMount);
  const taken = new Set(requested.map((mount) => mount.destination));
  const isHidden = (mount: OciMount): boolean =>
    taken.has(mount.destination) || (mount.destination.startsWith("/dev/") && taken.has("/dev"));
  const defaults = defaultMounts(input).filter((mount) => !isHidden(mount));
  // The order of equally deep mounts stays as it was given: sort() is stable.
  const sorted = requested.toSorted((a, b) => depth(a.destination) - depth(b.destination));
  const propagations = input.mounts.map((mount) => (mount.kind === "bind" ? mount.propagation : "rprivate"));
  return { mounts: [...defaults, ...sorted], rootfsPropagation: rootfsPropagation(propagations) };
}

function rootfsPropagation(propagations: readonly string[]): string | undefined {
  if (propagations.some((value) => value === "shared" || value === "rshared")) return "shared";
  return propagations.some((value) => value === "slave" || value === "rslave") ? "rslave" : undefined;
}

const depth = (path: string): number => path.split("/").filter((part) => part !== "").length;

function toOciMount(mount: SpecMount): OciMount {
  if (mount.kind === "tmpfs") {
    return { destination: mount.destination, type: "tmpfs", source: "tmpfs", options: [...mount.options] };
  }
  const readOnly = mount.isReadOnlyRecursive ? "rro" : "ro";
  return {
    destination: mount.destination,
    type: "bind",
    source: mount.source,
    options: [mount.isRecursive ? "rbind" : "bind", mount.propagation, ...(mount.isReadOnly ? [readOnly] : [])],
  };
}

function defaultMounts(input: SpecInput): OciMount[] {
  const { hostConfig } = input;
  const access = hostConfig.Privileged ? "rw" : "ro";
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    sysMount(input, access),
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", access] },
    ...ipcMounts(input),
  ];
}

/** sysfs shows the network namespace that mounts it, so a container on the host's network gets the host's by a bind. */
function sysMount(input: SpecInput, access: string): OciMount {
  if (input.namespaces.network.kind !== "host") {
    return { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", access] };
  }
  return { destination: "/sys", type: "bind", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", access] };
}

function ipcMounts(input: SpecInput): OciMount[] {
  if (input.namespaces.ipc.kind === "host") {
    const queues: OciMount = {
      destination: "/dev/mqueue",
      type: "bind",
      source: "/dev/mqueue",
      options: ["rbind", "nosuid", "noexec", "nodev"],
    };
    return [
      ...(input.facts.hasMessageQueues ? [queues] : []),
      { destination: "/dev/shm", type: "bind", source: "/dev/shm", options: ["rbind", "nosuid", "noexec", "nodev"] },
    ];
  }
  const mqueue: OciMount = { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] };
  if (input.hostConfig.IpcMode === "none") return [mqueue];
  if (input.shmPath !== undefined) {
    return [mqueue, { destination: "/dev/shm", type: "bind", source: input.shmPath, options: ["rbind", "rprivate"] }];
  }
  const size = `size=${input.hostConfig.ShmSize}`;
  return [mqueue, { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "noexec", "nodev", "mode=1777", size] }];
}
