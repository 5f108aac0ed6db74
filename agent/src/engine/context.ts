import { join } from "node:path";
import { FlotillaError, type KeyedLock, type Logger } from "@flotilla/core";
import type { AgentConfig } from "../config.ts";
import type { EventBus } from "../events/bus.ts";
import type { Guards } from "../guard/guard-store.ts";
import type { CgroupLayout } from "../host/cgroup.ts";
import type { ExitFiles } from "../host/exit-files.ts";
import type { QuickCgroups } from "../host/quick-cgroups.ts";
import type { RuntimeDriver } from "../runtime/driver.ts";
import type { HostFacts } from "../runtime/spec-input.ts";
import type { Database } from "../store/database.ts";
import type { ContainerStore } from "./container-store.ts";
import type { StartHook } from "./containers-port.ts";
import type { ImageStore, NetworkChanges, NetworkManager, VolumeStore } from "./ports.ts";
import type { ContainerRecord } from "./record.ts";
import type { RestartTimers } from "./restart-timers.ts";
import type { Waiters } from "./waiters.ts";

export type Clock = { nowMs(): number };

export type EngineDeps = {
  config: AgentConfig;
  db: Database;
  images: ImageStore;
  volumes: VolumeStore;
  networks: NetworkManager & Partial<NetworkChanges>;
  guards: Guards;
  events: EventBus;
  logger: Logger;
  clock: Clock;
};

/** What is known of the machine once recover() has asked it. */
export type Machine = { cgroups: CgroupLayout; facts: HostFacts; runtime: RuntimeDriver; exits: ExitFiles; quickCgroups: QuickCgroups };

/** What the verbs of the engine share. One per engine; `machine` is set by recover(). */
export type EngineContext = EngineDeps & {
  store: ContainerStore;
  /** One task per container at a time. A task that waits for the container's exit must not hold its lock. */
  locks: KeyedLock;
  waiters: Waiters;
  timers: RestartTimers;
  hooks: Map<string, Set<StartHook>>;
  machine: Machine | undefined;
  /** Containers whose process was gone at the last sweep although no exit was recorded. */
  suspects: Set<string>;
  /** Set by close(): exits and timers are then left to the next start. */
  isClosed: boolean;
};

/** @throws unavailable before recover(). */
export function machineOf(context: EngineContext): Machine {
  if (context.machine === undefined) throw new FlotillaError("unavailable", "the engine is starting: try again in a moment");
  return context.machine;
}

export type ContainerPaths = {
  /** Durable: log, hosts, hostname, resolv.conf. */
  dataDir: string;
  logPath: string;
  hostsPath: string;
  hostnamePath: string;
  resolvConfPath: string;
  /** Volatile: config.json, pid files, attach socket; exists while the container runs. */
  bundleDir: string;
  /** A shareable /dev/shm, mounted while the container runs. */
  shmPath: string;
};

export function containerPaths(config: AgentConfig, id: string): ContainerPaths {
  const dataDir = join(config.dataDir, "containers", id);
  const bundleDir = join(config.runDir, "containers", id);
  return {
    dataDir,
    logPath: join(dataDir, "ctr.log"),
    hostsPath: join(dataDir, "hosts"),
    hostnamePath: join(dataDir, "hostname"),
    resolvConfPath: join(dataDir, "resolv.conf"),
    bundleDir,
    shmPath: join(bundleDir, "shm"),
  };
}

/** Where trees of stopped containers are put together while somebody reads or writes them. */
export function treesDir(config: AgentConfig): string {
  return join(config.runDir, "trees");
}

/** The cgroup under which all containers of this instance are. */
export function cgroupParent(config: AgentConfig): string {
  return `/flotilla-${config.instance}`;
}

/** The cgroup of all containers of a namespace that its guard rail binds: the limits are on it. */
export function namespaceCgroup(config: AgentConfig, namespace: string): string {
  return `${cgroupParent(config)}/ns-${namespace}`;
}

/** Publishes a container's event with the attributes Docker gives: labels, image, name and what belongs to the action. */
export function publish(
  context: EngineContext,
  record: ContainerRecord,
  event: { action: string; attributes?: Record<string, string> },
): void {
  context.events.publish({
    namespace: record.namespace,
    type: "container",
    action: event.action,
    id: record.id,
    attributes: { ...record.config.Labels, image: record.config.Image, name: record.name, ...event.attributes },
  });
}

/** Publishes that a start mounted a container's volumes, or that its end let go of them, as Docker does. */
export function publishVolumes(context: EngineContext, record: ContainerRecord, action: "mount" | "unmount"): void {
  for (const mount of record.mounts) {
    if (mount.type !== "volume") continue;
    const how = { destination: mount.destination, "read/write": String(!mount.isReadOnly), propagation: mount.propagation };
    context.events.publish({
      namespace: record.namespace,
      type: "volume",
      action,
      id: mount.name,
      attributes: { driver: "local", container: record.id, ...(action === "mount" ? how : {}) },
    });
  }
}
