import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { ALL_CAPABILITIES } from "./capabilities.ts";
import { OciSpec } from "./oci-spec.ts";
import { parseSeccompProfile } from "./seccomp.ts";
import { buildSpec, DEFAULT_MASKED_PATHS, formatSpec } from "./spec.ts";
import type { SpecInput } from "./spec-input.ts";

function input(hostConfig: Record<string, unknown> = {}, config: Record<string, unknown> = {}, more: Partial<SpecInput> = {}): SpecInput {
  return {
    rootfs: "/root-fs",
    config: ContainerConfig.parse(config),
    hostConfig: HostConfig.parse({ ShmSize: 1000, NetworkMode: "bridge", ...hostConfig }),
    args: ["sh"],
    user: { uid: 0, gid: 0, home: "/root" },
    hostname: "box",
    namespaces: {
      network: { kind: "path", path: "/run/netns/x" },
      pid: { kind: "private" },
      ipc: { kind: "private" },
      uts: { kind: "private" },
      cgroup: { kind: "host" },
    },
    mounts: [],
    shmPath: undefined,
    devices: [],
    blockDevices: new Map(),
    cgroupPath: "/flotilla-x/id",
    facts: {
      architecture: "x64",
      kernelRelease: "6.1.0",
      cgroupMode: "v2",
      capabilities: new Set(ALL_CAPABILITIES.filter((name) => name !== "CAP_SYS_RESOURCE")),
      hardLimits: { nofile: 20_000 },
      hasMessageQueues: true,
      seccompProfile: parseSeccompProfile('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}'),
    },
    ...more,
  };
}

const destinations = (spec: OciSpec): string[] => spec.mounts.map((mount) => mount.destination);

describe("a plain container", () => {
  const { spec, warnings } = buildSpec(input());

  test("is a specification of its own schema", () => {
    expect(OciSpec.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    expect(warnings).toEqual([]);
  });

  test("has namespaces of its own and the network that was made for it", () => {
    expect(spec.linux.namespaces).toEqual([
      { type: "mount" },
      { type: "network", path: "/run/netns/x" },
      { type: "pid" },
      { type: "ipc" },
      { type: "uts" },
    ]);
    expect(spec.hostname).toBe("box");
  });

  test("is confined: fourteen capabilities, seccomp, masked and read-only paths, no devices", () => {
    expect(spec.process.capabilities?.bounding).toHaveLength(14);
    expect(spec.process.capabilities?.ambient).toBeUndefined();
    expect(spec.linux.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO");
    expect(spec.linux.maskedPaths).toEqual(DEFAULT_MASKED_PATHS);
    expect(spec.linux.readonlyPaths).toContain("/proc/sys");
    expect(spec.linux.resources.devices?.[0]).toEqual({ allow: false, access: "rwm" });
    expect(spec.linux.devices).toEqual([]);
  });

  test("mounts what Docker mounts, in Docker's order", () => {
    expect(destinations(spec)).toEqual(["/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm"]);
    expect(spec.mounts.at(-1)?.options).toContain("size=1000");
  });
});

describe("rights", () => {
  test("privileged lifts every confinement", () => {
    const { spec } = buildSpec(input({ Privileged: true }));
    expect(spec.linux.seccomp).toBeUndefined();
    expect(spec.linux.maskedPaths).toBeUndefined();
    expect(spec.linux.resources.devices).toEqual([{ allow: true, access: "rwm" }]);
    expect(spec.mounts.find((mount) => mount.destination === "/sys")?.options).toContain("rw");
  });

  test("a plain user has no effective capabilities but keeps the bounding set", () => {
    const { spec } = buildSpec(input({}, {}, { user: { uid: 1000, gid: 1000, home: "/" } }));
    expect(spec.process.capabilities).toMatchObject({ effective: [], permitted: [] });
    expect(spec.process.capabilities?.bounding).toHaveLength(14);
  });

  test("security options: unconfined, a profile of one's own, no new privileges", () => {
    expect(buildSpec(input({ SecurityOpt: ["seccomp=unconfined"] })).spec.linux.seccomp).toBeUndefined();
    expect(buildSpec(input({ SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] })).spec.linux.seccomp?.defaultAction).toBe(
      "SCMP_ACT_ALLOW",
    );
    expect(buildSpec(input({ SecurityOpt: ["no-new-privileges"] })).spec.process.noNewPrivileges).toBe(true);
    expect(() => buildSpec(input({ SecurityOpt: ["nonsense"] }))).toThrow('invalid --security-opt 2: "nonsense"');
    expect(() => buildSpec(input({ SecurityOpt: ["apparmor=strict"] }))).toThrow("applies no apparmor profiles");
  });

  test("a ulimit above what the agent may give is lowered, and that is said", () => {
    const { spec, warnings } = buildSpec(input({ Ulimits: [{ Name: "nofile", Soft: 1_000_000, Hard: 1_000_000 }] }));
    expect(spec.process.rlimits).toEqual([{ type: "RLIMIT_NOFILE", soft: 20_000, hard: 20_000 }]);
    expect(warnings).toEqual(["ulimit nofile was lowered to 20000: the engine may not raise its own hard limit"]);
    expect(() => buildSpec(input({ Ulimits: [{ Name: "nofile", Soft: 2, Hard: 1 }] }))).toThrow(
      "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
    );
  });

  test("unlimited is written as the kernel's own number", () => {
    const { spec } = buildSpec(input({ Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }] }));
    expect(formatSpec(spec)).toContain('{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}');
  });

  test("empty lists of masked paths unmask everything", () => {
    expect(buildSpec(input({ MaskedPaths: [], ReadonlyPaths: [] })).spec.linux).toMatchObject({ maskedPaths: [], readonlyPaths: [] });
  });
});

describe("environment", () => {
  const env = (config: Record<string, unknown>): string[] => buildSpec(input({}, config)).spec.process.env;

  test("PATH and HOSTNAME come first, HOME last, and what is set wins", () => {
    expect(env({ Env: ["A=1", "PATH=/bin", "A=2"] })).toEqual(["PATH=/bin", "HOSTNAME=box", "A=2", "HOME=/root"]);
    expect(env({ Env: ["HOME=/home"], Tty: true })).toEqual([
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOSTNAME=box",
      "TERM=xterm",
      "HOME=/home",
    ]);
  });

  test("a name without a value takes the variable away", () => {
    expect(env({ Env: ["HOSTNAME"] })).toEqual(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]);
  });
});

describe("mounts", () => {
  const bind = (destination: string, more: object = {}) =>
    ({
      kind: "bind",
      source: "/src",
      destination,
      isReadOnly: false,
      isRecursive: true,
      isReadOnlyRecursive: true,
      propagation: "rprivate",
      ...more,
    }) as const;

  test("parents come before children, and a mount of the user's replaces a default one", () => {
    const { spec } = buildSpec(
      input(
        {},
        {},
        { mounts: [bind("/a/b/c"), bind("/a"), bind("/dev/shm"), { kind: "tmpfs", destination: "/a/b", options: ["size=1m"] }] },
      ),
    );
    expect(destinations(spec).slice(-4)).toEqual(["/a", "/dev/shm", "/a/b", "/a/b/c"]);
    expect(destinations(spec).filter((path) => path === "/dev/shm")).toHaveLength(1);
  });

  test("read-only is recursive unless asked otherwise; shared propagation reaches the root", () => {
    const { spec } = buildSpec(
      input(
        {},
        {},
        {
          mounts: [
            bind("/ro", { isReadOnly: true }),
            bind("/one", { isReadOnly: true, isReadOnlyRecursive: false, isRecursive: false, propagation: "rshared" }),
          ],
        },
      ),
    );
    expect(spec.mounts.slice(-2).map((mount) => mount.options)).toEqual([
      ["rbind", "rprivate", "rro"],
      ["bind", "rshared", "ro"],
    ]);
    expect(spec.linux.rootfsPropagation).toBe("shared");
  });

  test("a mount on /dev hides the engine's own devices directory and all below it", () => {
    expect(destinations(buildSpec(input({}, {}, { mounts: [bind("/dev")] })).spec)).toEqual(["/proc", "/sys", "/sys/fs/cgroup", "/dev"]);
  });

  test("the host's IPC and network bring the host's own file systems", () => {
    const namespaces = { ...input().namespaces, ipc: { kind: "host" }, network: { kind: "host" } } as const;
    const { spec } = buildSpec(input({ NetworkMode: "host" }, {}, { namespaces }));
    expect(spec.mounts.filter((mount) => mount.type === "bind").map((mount) => mount.source)).toEqual(["/sys", "/dev/mqueue", "/dev/shm"]);
    expect(spec.linux.sysctl).toEqual({});
  });
});

describe("limits", () => {
  const resources = (hostConfig: Record<string, unknown>) => buildSpec(input(hostConfig)).spec.linux.resources;

  test("nothing is limited unless asked", () => {
    expect(Object.keys(resources({}))).toEqual(["devices"]);
  });

  test("memory gets as much swap again, CPUs become a quota", () => {
    expect(resources({ Memory: 100, NanoCpus: 1_500_000_000, PidsLimit: 7, BlkioWeight: 20, CpusetCpus: "0-1" })).toMatchObject({
      memory: { limit: 100, swap: 200 },
      cpu: { quota: 150_000, period: 100_000, cpus: "0-1" },
      pids: { limit: 7 },
      blockIO: { weight: 20 },
    });
    expect(resources({ Memory: 100, MemorySwap: -1, PidsLimit: -1 })).toMatchObject({ memory: { swap: -1 }, pids: { limit: -1 } });
  });

  test("devices and rules of one's own are allowed after everything is denied", () => {
    const device = { type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0, access: "rw" } as const;
    const { spec } = buildSpec(input({ DeviceCgroupRules: ["b 8:* r"] }, {}, { devices: [device] }));
    expect(spec.linux.devices).toEqual([{ type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }]);
    expect(spec.linux.resources.devices?.slice(-2)).toEqual([
      { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
      { allow: true, type: "b", major: 8, access: "r" },
    ]);
  });
});
