import type { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import type { OciDevice, OciUser } from "./oci-spec.ts";
import type { DockerSeccompProfile } from "./seccomp.ts";

/** A mount that the user asked for, or a file that the engine makes (hosts, hostname, resolv.conf, init). */
export type SpecMount =
  | {
      kind: "bind";
      source: string;
      destination: string;
      isReadOnly: boolean;
      /** False leaves mounts below the source out. */
      isRecursive: boolean;
      /** Read-only for the mounts below the source too. */
      isReadOnlyRecursive: boolean;
      propagation: string;
    }
  /** `options` as mount(8) takes them: "size=64m", "noexec". */
  | { kind: "tmpfs"; destination: string; options: readonly string[] };

/** What a namespace of the container is: its own, the host's, or one that exists at a path. */
export type NamespaceChoice = { kind: "private" } | { kind: "host" } | { kind: "path"; path: string };

export type SpecNamespaces = {
  network: NamespaceChoice;
  pid: NamespaceChoice;
  ipc: NamespaceChoice;
  uts: NamespaceChoice;
  cgroup: NamespaceChoice;
};

/** A device node on the host that the container gets. */
export type SpecDevice = OciDevice & { access: string };

/** Facts of the machine and of the agent's own process. */
export type HostFacts = {
  /** Node's name: x64, arm64. */
  architecture: string;
  kernelRelease: string;
  cgroupMode: "v1" | "hybrid" | "v2";
  /** The agent's bounding set: more than that no container can have. */
  capabilities: ReadonlySet<string>;
  /** Hard limits by Docker's names ("nofile"), -1 for unlimited. */
  hardLimits: Readonly<Record<string, number>>;
  /** Whether the host itself has a /dev/mqueue to share. */
  hasMessageQueues: boolean;
  /** The machine's default profile; undefined when it has none or the kernel no seccomp. */
  seccompProfile: DockerSeccompProfile | undefined;
};

export type SpecInput = {
  rootfs: string;
  /** Merged with the image's. */
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** Program and arguments, with the init in front where one was asked for. */
  args: readonly string[];
  user: OciUser & { home: string };
  hostname: string;
  namespaces: SpecNamespaces;
  mounts: readonly SpecMount[];
  /** Where the container's /dev/shm is on the host, when it is shared; undefined for one of its own. */
  shmPath: string | undefined;
  devices: readonly SpecDevice[];
  /** Device numbers of paths named in block I/O limits. */
  blockDevices: ReadonlyMap<string, { major: number; minor: number }>;
  cgroupPath: string;
  facts: HostFacts;
};
