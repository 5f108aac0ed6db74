import type { Containers } from "../engine/containers-port.ts";
import { readHostFacts } from "./host-facts.ts";

export type InfoSources = {
  product: { version: string; commit: string };
  /** Name of this agent's data, the same over restarts. */
  engineId: string;
  dataDir: string;
  runtime: { name: string; path: string; version: string };
  containers: Pick<Containers, "views">;
  countImages(namespace: string): Promise<number> | number;
  /** What this host was told about registries. */
  registries(): Promise<{ RegistryConfig: unknown; IndexServerAddress: string }>;
  /** Things an administrator should know; shown by `docker info`. */
  warnings(): string[];
  nowMs(): number;
};

const RUNNING = new Set(["running", "restarting", "paused"]);

/** The answer of `GET /info`: the machine, and the objects of one namespace. */
export async function describeInfo(sources: InfoSources, namespace: string): Promise<Record<string, unknown>> {
  const views = sources.containers.views(namespace);
  const paused = views.filter((view) => view.status === "paused").length;
  const running = views.filter((view) => RUNNING.has(view.status)).length - paused;
  return {
    ID: sources.engineId,
    Containers: views.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: views.length - running - paused,
    Images: await sources.countImages(namespace),
    ...describeEngine(sources),
    ...(await sources.registries()),
    ...describeMachine(),
    SystemTime: new Date(sources.nowMs()).toISOString(),
    Warnings: sources.warnings(),
  };
}

function describeEngine(sources: InfoSources): Record<string, unknown> {
  const { product, runtime } = sources;
  return {
    ServerVersion: product.version,
    Driver: "overlay2",
    DriverStatus: [["Backing Filesystem", "overlayfs"]],
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "none"], Authorization: null, Log: ["k8s-file"] },
    LoggingDriver: "k8s-file",
    CgroupDriver: "cgroupfs",
    DockerRootDir: sources.dataDir,
    Runtimes: { [runtime.name]: { path: runtime.path } },
    DefaultRuntime: runtime.name,
    InitBinary: "",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: { ID: runtime.version, Expected: runtime.version },
    InitCommit: { ID: "", Expected: "" },
    SecurityOptions: ["name=seccomp,profile=builtin"],
    Swarm: { NodeID: "", NodeAddr: "", LocalNodeState: "inactive", ControlAvailable: false, Error: "", RemoteManagers: null },
    ExperimentalBuild: false,
    LiveRestoreEnabled: true,
    Labels: [],
    GenericResources: null,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Debug: false,
    ProductLicense: "",
    DefaultAddressPools: null,
  };
}

function describeMachine(): Record<string, unknown> {
  const facts = readHostFacts();
  return {
    Name: facts.hostname,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: "linux",
    Architecture: facts.machine,
    NCPU: facts.cpus,
    MemTotal: facts.memoryBytes,
    CgroupVersion: facts.cgroupVersion,
    MemoryLimit: true,
    SwapLimit: facts.hasSwapLimit,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    OomKillDisable: facts.cgroupVersion === "1",
    IPv4Forwarding: facts.isIpForwarding,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    NFd: -1,
    NGoroutines: -1,
    NEventsListener: 0,
  };
}
