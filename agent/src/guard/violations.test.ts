import { HostConfig, ContainerConfig } from "@flotilla/engine-api";
import { type GuardAllow, guardAllow } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { ALL_CAPABILITIES } from "../runtime/capabilities.ts";
import type { OciSpec } from "../runtime/oci-spec.ts";
import { parseSeccompProfile, resolveSeccomp } from "../runtime/seccomp.ts";
import { buildSpec } from "../runtime/spec.ts";
import type { SpecInput } from "../runtime/spec-input.ts";
import type { GuardFacts } from "./guard-facts.ts";
import { refuseViolations } from "./refuse-violations.ts";
import { findViolations } from "./violations.ts";

const PARENT = "/flotilla-x/ns-shop";
const profile = parseSeccompProfile('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}');
const hostFacts: SpecInput["facts"] = {
  architecture: "x64",
  kernelRelease: "6.1.0",
  cgroupMode: "v2",
  capabilities: new Set(ALL_CAPABILITIES),
  hardLimits: {},
  hasMessageQueues: true,
  seccompProfile: profile,
};
const OWN = { kind: "private" } as const;
const HOST = { kind: "host" } as const;
const namespaces: SpecInput["namespaces"] = { network: { kind: "path", path: "/run/netns/x" }, pid: OWN, ipc: OWN, uts: OWN, cgroup: OWN };
const fuse = { type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0, access: "rwm" } as const;

type Given = {
  hostConfig?: Record<string, unknown>;
  config?: Record<string, unknown>;
  input?: Partial<SpecInput>;
  allow?: Partial<GuardAllow>;
  facts?: Partial<GuardFacts>;
};

function specOf({ hostConfig = {}, config = {}, input = {} }: Given): OciSpec {
  return buildSpec({
    rootfs: "/root-fs",
    config: ContainerConfig.parse(config),
    hostConfig: HostConfig.parse({ ShmSize: 1000, NetworkMode: "bridge", ...hostConfig }),
    args: ["sh"],
    user: { uid: 0, gid: 0, home: "/root" },
    hostname: "box",
    namespaces,
    mounts: [],
    shmPath: undefined,
    devices: [],
    blockDevices: new Map(),
    cgroupPath: `${PARENT}/id`,
    facts: hostFacts,
    ...input,
  }).spec;
}

function judge(given: Given): string[] {
  const spec = specOf(given);
  const capabilities = spec.process.capabilities?.bounding ?? [];
  const facts: GuardFacts = {
    binds: new Map(),
    ownSources: new Set(["/data/volumes/shop/db/_data", "/sys", "/dev/shm", "/dev/mqueue"]),
    joined: new Set(),
    devices: [],
    seccomp: resolveSeccomp(profile, { capabilities, architecture: "x64", kernelRelease: "6.1.0" }),
    enginePaths: ["/run/flotilla", "/var/lib/flotilla", "/run/docker.sock"],
    cgroupParent: PARENT,
    hasCgroupNamespaces: true,
    ...given.facts,
  };
  return findViolations(spec, guardAllow.parse(given.allow ?? {}), facts).map(({ rule }) => rule);
}

const bind = (source: string, more: { propagation?: string } = {}) => ({
  kind: "bind" as const,
  source,
  destination: "/x",
  isReadOnly: false,
  isRecursive: true,
  isReadOnlyRecursive: false,
  propagation: more.propagation ?? "rprivate",
});

/** A mount that somebody asked for, and where it leads. */
function asked(source: string, led: { realPath?: string | undefined; isSocket?: boolean; propagation?: string } = {}): Given {
  const fact = { asked: source, realPath: "realPath" in led ? led.realPath : source, isSocket: led.isSocket ?? false };
  return { input: { mounts: [bind(source, led)] }, facts: { binds: new Map([[source, fact]]) } };
}

const all = (...parts: Given[]): Given => parts.reduce((one, other) => ({ ...one, ...other }));

test("a plain container breaks no rule, with volumes, limits, and everything that takes away", () => {
  expect(judge({})).toEqual([]);
  expect(judge({ input: { mounts: [bind("/data/volumes/shop/db/_data")] } })).toEqual([]);
  expect(judge({ hostConfig: { CapDrop: ["ALL"], ReadonlyRootfs: true, SecurityOpt: ["no-new-privileges"], Memory: 64 << 20 } })).toEqual(
    [],
  );
  expect(judge({ hostConfig: { CapDrop: ["ALL"], CapAdd: ["NET_BIND_SERVICE"] } })).toEqual([]);
  expect(judge({ input: { mounts: [{ kind: "tmpfs", destination: "/t", options: ["exec", "size=1g"] }] } })).toEqual([]);
  expect(judge({ config: { Domainname: "example.org" } })).toEqual([]);
});

describe("attack 7: what a guard rail refuses of a specification, and allows when it says so", () => {
  test.each<[string, Given, Partial<GuardAllow>]>([
    ["privileged", { hostConfig: { Privileged: true } }, { privileged: true }],
    ["capabilities", { hostConfig: { CapAdd: ["SYS_ADMIN"] } }, { capabilities: ["CAP_SYS_ADMIN"] }],
    ["capabilities", { hostConfig: { CapAdd: ["net_admin"] } }, { capabilities: ["ALL"] }],
    ["devices", { input: { devices: [fuse] } }, { devices: ["/dev/fuse"] }],
    ["devices", { hostConfig: { DeviceCgroupRules: ["c 10:229 rwm"] } }, { devices: ["/dev/fuse"] }],
    ["hostNetwork", { input: { namespaces: { ...namespaces, network: HOST, uts: OWN } } }, { hostNetwork: true }],
    ["hostPid", { input: { namespaces: { ...namespaces, pid: HOST } } }, { hostPid: true }],
    ["hostIpc", { input: { namespaces: { ...namespaces, ipc: HOST } } }, { hostIpc: true }],
    ["hostUts", { input: { namespaces: { ...namespaces, uts: HOST } } }, { hostUts: true }],
    ["hostCgroup", { input: { namespaces: { ...namespaces, cgroup: HOST } } }, { hostCgroup: true }],
    ["seccompUnconfined", { hostConfig: { SecurityOpt: ["seccomp=unconfined"] } }, { seccompUnconfined: true }],
    ["seccompUnconfined", { hostConfig: { SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] } }, { seccompUnconfined: true }],
    ["unmaskedPaths", { hostConfig: { MaskedPaths: [] } }, { unmaskedPaths: true }],
    ["unmaskedPaths", { hostConfig: { ReadonlyPaths: ["/proc/bus"] } }, { unmaskedPaths: true }],
    ["sysctls", { hostConfig: { Sysctls: { "vm.overcommit_memory": "1" } } }, { sysctls: ["vm.overcommit_memory"] }],
    ["sysctls", { hostConfig: { Sysctls: { "kernel/core_pattern": "|/x" } } }, { sysctls: ["kernel.core_pattern"] }],
    ["oomProtection", { hostConfig: { OomScoreAdj: -500 } }, { oomProtection: true }],
    ["oomProtection", { hostConfig: { Memory: 64 << 20, OomKillDisable: true } }, { oomProtection: true }],
    ["binds", asked("/etc"), { binds: ["/etc"] }],
    ["binds", asked("/"), { binds: ["/"], sockets: true }],
    ["sharedMounts", all({ input: { mounts: [bind("/data/volumes/shop/db/_data", { propagation: "rshared" })] } }), { sharedMounts: true }],
  ])("%s", (rule, given, allow) => {
    const devices = [{ type: "c", major: 10, minor: 229 }];
    expect(judge(given)).toEqual([rule]);
    expect(judge({ ...given, allow, facts: { ...given.facts, ...(rule === "devices" ? { devices } : {}) } })).toEqual([]);
  });

  test("every rule has its own word: allowing one allows no other", () => {
    const given = { hostConfig: { CapAdd: ["SYS_ADMIN"], SecurityOpt: ["seccomp=unconfined"], OomScoreAdj: -1 } };
    expect(judge(given)).toEqual(["capabilities", "seccompUnconfined", "oomProtection"]);
    expect(judge({ ...given, allow: { seccompUnconfined: true } })).toEqual(["capabilities", "oomProtection"]);
  });

  test("what is privileged says so, and may have neither the host's namespaces nor its files for that", () => {
    const given = { hostConfig: { Privileged: true }, input: { namespaces: { ...namespaces, pid: HOST }, devices: [fuse] } };
    expect(judge(given)).toEqual(["privileged"]);
    expect(judge({ ...given, allow: { privileged: true } })).toEqual(["hostPid"]);
    expect(judge({ ...all({ hostConfig: { Privileged: true } }, asked("/etc")), allow: { privileged: true } })).toEqual(["binds"]);
  });

  test("a rule for every device is privileged by another name", () => {
    expect(judge({ hostConfig: { DeviceCgroupRules: ["a *:* rwm"] } })).toEqual(["privileged"]);
    expect(judge({ hostConfig: { DeviceCgroupRules: ["b *:* rwm"] } })).toEqual(["devices"]);
    expect(judge({ hostConfig: { DeviceCgroupRules: ["b 8:* r"] } })).toEqual(["devices"]);
    expect(judge({ hostConfig: { DeviceCgroupRules: ["c 1:3 rwm"] } })).toEqual([]);
  });

  test.each(["network", "pid", "ipc", "uts"] as const)("the host's %s by way of a container that has it", (type) => {
    const rule = `host${type === "uts" ? "Uts" : `${type[0]?.toUpperCase()}${type.slice(1)}`}`;
    const joins = { namespaces: { ...namespaces, [type]: { kind: "path", path: "/proc/9/ns/x" } } };
    expect(judge({ input: joins, facts: { joined: new Set([type]) } })).toEqual([rule]);
    expect(judge({ input: joins })).toEqual([]);
  });

  test("kernel settings of a namespace are one's own only where the namespace is", () => {
    const net = { hostConfig: { Sysctls: { "net.core.somaxconn": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "1" } } };
    expect(judge(net)).toEqual([]);
    const shared = { ...namespaces, network: HOST, ipc: HOST };
    expect(judge({ ...net, input: { namespaces: shared }, allow: { hostNetwork: true, hostIpc: true } })).toEqual([
      "sysctls",
      "sysctls",
      "sysctls",
    ]);
  });

  test("a mount counts by where it leads, not by its name", () => {
    const allow = { binds: ["/srv/shop"] };
    expect(judge({ ...asked("/srv/shop/data"), allow })).toEqual([]);
    expect(judge({ ...asked("/srv/shop"), allow })).toEqual([]);
    expect(judge({ ...asked("/srv/shop/link", { realPath: "/etc" }), allow })).toEqual(["binds"]);
    expect(judge({ ...asked("/srv/shopping"), allow })).toEqual(["binds"]);
    expect(judge({ ...asked("/srv"), allow })).toEqual(["binds"]);
    expect(judge({ ...asked("/srv/shop/gone", { realPath: undefined }), allow })).toEqual(["binds"]);
    expect(judge({ ...asked("/elsewhere", { realPath: "/srv/shop/x" }), allow })).toEqual([]);
  });

  test("an engine's socket is not mounted, nor what holds it or is below its data", () => {
    const allow = { binds: ["/"] };
    for (const path of ["/run/flotilla/engine.sock", "/run/flotilla", "/run", "/", "/var/lib/flotilla/volumes/other/x", "/run/docker.sock"])
      expect(judge({ ...asked(path), allow }), path).toEqual(["sockets"]);
    expect(judge({ ...asked("/srv/app.sock", { isSocket: true }), allow })).toEqual(["sockets"]);
    expect(judge({ ...asked("/srv"), allow })).toEqual([]);
    expect(judge({ ...asked("/run"), allow: { ...allow, sockets: true } })).toEqual([]);
  });

  test("a mount that nobody asked for and the engine did not make is refused", () => {
    expect(judge({ input: { mounts: [bind("/somewhere")] } })).toEqual(["binds"]);
  });

  test("a container is below its namespace's cgroup", () => {
    expect(judge({ input: { cgroupPath: "/flotilla-x/ns-other/id" } })).toEqual(["cgroup"]);
    expect(judge({ input: { cgroupPath: `${PARENT}/../id` } })).toEqual(["cgroup"]);
    expect(judge({ input: { cgroupPath: `${PARENT}/batch/id` } })).toEqual([]);
  });

  test("a machine without a seccomp profile holds nobody to one", () => {
    const facts = { ...hostFacts, seccompProfile: undefined };
    expect(judge({ input: { facts }, facts: { seccomp: undefined } })).toEqual([]);
  });
});

describe("a refusal", () => {
  test("names rules, what was asked for, and who can change it", () => {
    const violations = [
      { rule: "capabilities", value: "CAP_BPF", message: "the capability CAP_BPF" },
      { rule: "hostPid", value: "host", message: "the host's processes" },
    ] as const;
    expect(() => refuseViolations("shop", violations)).toThrow(
      "the guard rails of this host do not allow shop: the capability CAP_BPF (capabilities), the host's processes (hostPid); an instance administrator can change that (the host's guard rails)",
    );
  });

  test("stays short, however much was asked for", () => {
    const many = Array.from({ length: 40 }, (_, at) => ({ rule: "binds", value: "", message: `mounting /${at}` }) as const);
    expect(() => refuseViolations("shop", many)).toThrow(/\/4 \(binds\) and 35 more;/);
    expect(() => refuseViolations("shop", [])).not.toThrow();
  });
});
