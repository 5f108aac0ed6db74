import { randomBytes } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@flotilla/core";
import { ContainerCreateBody } from "@flotilla/engine-api";
import { type AgentConfig, readConfig } from "../../agent/src/config.ts";
import type { Containers } from "../../agent/src/engine/containers-port.ts";
import { createEngine } from "../../agent/src/engine/create-engine.ts";
import { GuardStore } from "../../agent/src/guard/guard-store.ts";
import { type EngineEvent, EventBus } from "../../agent/src/events/bus.ts";
import { createNetworkManager, type Networks } from "../../agent/src/network/network-manager.ts";
import { createImageStore } from "../../agent/src/storage/create-image-store.ts";
import type { ImageService } from "../../agent/src/storage/image-service.ts";
import { Database } from "../../agent/src/store/database.ts";
import { createVolumeStore, type Volumes } from "../../agent/src/volumes/volume-store.ts";
import { mountsBelow } from "../../agent/src/host/mounts.ts";
import { cgroupPids, detectCgroups, listCgroups, removeCgroup } from "../../agent/src/host/cgroup.ts";
import { makeBusyboxTar } from "./busybox-image.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";

export const NS = "default";

/** A real engine without API server, in directories of its own. */
export type TestEngine = {
  config: AgentConfig;
  engine: Containers;
  images: ImageService;
  volumes: Volumes;
  networks: Networks;
  events: EngineEvent[];
  /** Creates and starts; the body may name any field of Docker's. */
  run(body: Record<string, unknown>, name?: string): Promise<string>;
  create(body: Record<string, unknown>, name?: string): Promise<string>;
  exitOf(id: string): Promise<number>;
  /** Closes and opens again on the same directories, as a restart of the agent does; `between` runs while it is down. */
  reopen(between?: () => Promise<void>): Promise<void>;
};

export type Opened = Pick<TestEngine, "engine" | "images" | "volumes" | "networks"> & { close(): Promise<void> };

/** Opens a real engine on directories that exist. */
export async function openEngine(config: AgentConfig, events: EngineEvent[]): Promise<Opened> {
  const db = new Database(join(config.dataDir, "agent.db"));
  const bus = new EventBus();
  bus.subscribe((event) => events.push(event));
  const shared = { config, db, events: bus, logger: silentLogger };
  const images = createImageStore({ ...shared, usage: () => [] });
  const volumes = createVolumeStore(shared);
  const networks = createNetworkManager(shared);
  await images.recover();
  const engine = createEngine({ ...shared, images, volumes, networks, guards: new GuardStore(db), clock: { nowMs: Date.now } });
  await engine.recover();
  const close = async (): Promise<void> => {
    await engine.close();
    await networks.close();
    await images.close();
    db.close();
  };
  return { engine, images, volumes, networks, close };
}

/** Runs `work` with an engine that has the image `busybox`; afterwards nothing is left, also when it throws. */
export async function withEngine(work: (t: TestEngine) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "flt-engine-"));
  const config = readConfig({ ...COMPILE_CACHE, FLOTILLA_DATA: join(dir, "data"), FLOTILLA_RUN: join(dir, "run") });
  mkdirSync(config.dataDir, { recursive: true });
  mkdirSync(config.runDir, { recursive: true });
  const events: EngineEvent[] = [];
  let opened = await openEngine(config, events);
  try {
    await opened.images.import({
      namespace: NS,
      tar: createReadStream(await makeBusyboxTar(dir)),
      repository: "busybox",
      message: "",
      changes: ["CMD sh"],
    });
    const create: TestEngine["create"] = async (body, name) => {
      const parsed = ContainerCreateBody.parse({ Image: "busybox", ...body });
      return (
        await opened.engine.create({ namespace: NS, name: name ?? `t${randomBytes(4).toString("hex")}`, body: parsed, isExempt: true })
      ).Id;
    };
    await work({
      config,
      events,
      get engine() {
        return opened.engine;
      },
      get images() {
        return opened.images;
      },
      get volumes() {
        return opened.volumes;
      },
      get networks() {
        return opened.networks;
      },
      create,
      run: async (body, name) => {
        const id = await create(body, name);
        await opened.engine.start(NS, id);
        return id;
      },
      exitOf: async (id) => (await opened.engine.wait(NS, id, "not-running", new AbortController().signal).done).StatusCode,
      reopen: async (between) => {
        await opened.close();
        try {
          await between?.();
        } finally {
          opened = await openEngine(config, events);
        }
      },
    });
  } finally {
    await removeEverything(opened.engine);
    await opened.close();
    await assertNothingLeft(config, dir);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function removeEverything(engine: Containers): Promise<void> {
  for (const view of engine.views()) await engine.remove(view.namespace, view.id, { force: true, volumes: true, link: false });
}

async function assertNothingLeft(config: AgentConfig, dir: string): Promise<void> {
  const parent = `/flotilla-${config.instance}`;
  const layout = detectCgroups();
  const left = { mounts: mountsBelow(dir), cgroups: listCgroups(layout, parent), pids: cgroupPids(layout, parent) };
  removeCgroup(layout, parent);
  if (left.mounts.length + left.cgroups.length + left.pids.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
}

/** Waits until `check` holds; fails loudly after half a minute. */
export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt += 1) {
    if (await check()) return;
    await sleep(10);
  }
  throw new Error(`still not: ${what}`);
}
