// The composition root: the only file that knows all the others. It makes the parts, joins them and starts them in order;
// it decides nothing.
import { mkdirSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { type Logger, toFlotillaError } from "@flotilla/core";
import { MESH_KIND, NETWORK_KIND, NETWORK_REFUSAL, NETWORK_SERVICE_KIND, REGISTRY_CREDENTIALS } from "@flotilla/protocol";
import type { Route } from "./api/call.ts";
import { createContainerRoutes } from "./api/container-routes.ts";
import { createProcessRoutes } from "./api/process-routes.ts";
import { type ApiServer, createApiServer } from "./api/server.ts";
import { unimplementedRoutes } from "./api/unimplemented-routes.ts";
import { archiveRoutes } from "./archive/archive-routes.ts";
import { type Archives, createArchiveService } from "./archive/create-archive-service.ts";
import { exportRoute } from "./archive/export-route.ts";
import { makeArchiveWorkers } from "./archive/workers.ts";
import { createAttachRoutes } from "./attach/attach-routes.ts";
import { AttachService } from "./attach/attach-service.ts";
import { BuildStore } from "./build/build-store.ts";
import { Builder } from "./build/builder.ts";
import { buildRoutes } from "./build/build-routes.ts";
import { openUrl } from "./build/fetch-url.ts";
import { createPullBase } from "./build/pull-base.ts";
import { type AgentConfig, readConfig } from "./config.ts";
import { commitRoute } from "./commit/commit-route.ts";
import { CommitService } from "./commit/commit-service.ts";
import { createDistribution, type Distribution } from "./distribution/create-distribution.ts";
import { distributionRoutes, pull } from "./distribution/distribution-routes.ts";
import { HostCredentials } from "./distribution/host-credentials.ts";
import { describeRegistries } from "./distribution/registry-settings.ts";
import type { Containers } from "./engine/containers-port.ts";
import { createEngine } from "./engine/create-engine.ts";
import { EventBus } from "./events/bus.ts";
import { createExecRoutes } from "./exec/exec-routes.ts";
import { execProbe } from "./exec/exec-probe.ts";
import { ExecService } from "./exec/exec-service.ts";
import { openGuards } from "./guard/guard-store.ts";
import { HealthMonitor } from "./health/health-monitor.ts";
import { type CgroupLayout, detectCgroups } from "./host/cgroup.ts";
import { openNetworkStack } from "./host/network-kernel.ts";
import { findControlUrl } from "./link/identity-file.ts";
import { type Link, startLink } from "./link/link.ts";
import { LogRotator } from "./logs/log-rotator.ts";
import { createLogRoutes } from "./logs/log-routes.ts";
import { createMesh, type Mesh } from "./mesh/create-mesh.ts";
import { createNetworkManager, type Networks } from "./network/network-manager.ts";
import { NetworkReconciler } from "./overlay/network-reconciler.ts";
import { networkRoutes } from "./network/network-routes.ts";
import { bridgePrefix } from "./network/plan.ts";
import { NetworkWishes } from "./overlay/network-wishes.ts";
import { tunnelPrefix, uplinkPrefix } from "./overlay/names.ts";
import { UnderlayReporter } from "./overlay/underlay-facts.ts";
import { createPinoLogger } from "./pino-logger.ts";
import { createReach } from "./reach/create-reach.ts";
import { reachRoutes } from "./reach/reach-routes.ts";
import { createStatsRoutes } from "./stats/stats-routes.ts";
import { createImageStore } from "./storage/create-image-store.ts";
import { flotillaImageRoutes } from "./storage/flotilla-image-routes.ts";
import { imageRoutes } from "./storage/image-routes.ts";
import type { ImageService } from "./storage/image-service.ts";
import { startReplicas } from "./replicas/start-replicas.ts";
import { DesiredState } from "./state/desired-state.ts";
import { DesiredStore } from "./state/desired-store.ts";
import { ObservedState } from "./state/observed-state.ts";
import { type HostState, serveState } from "./state/serve-state.ts";
import { realTimer } from "./state/timer.ts";
import { untilApplied } from "./state/until-applied.ts";
import { Database } from "./store/database.ts";
import { lockInstance } from "./store/instance-lock.ts";
import { measureDiskUsage } from "./system/disk-usage.ts";
import { type RuntimeFacts, readRuntimeFacts } from "./system/runtime-facts.ts";
import { createSystemRoutes } from "./system/system-routes.ts";
import { volumeRoutes } from "./volumes/volume-routes.ts";
import { createVolumeStore, type Volumes } from "./volumes/volume-store.ts";

export type AgentOptions = {
  logger: Logger;
  productVersion: string;
  commit?: string;
  /** Neither joins the control plane nor applies what it desires. */
  isAlone?: boolean;
};

export type Agent = {
  /** What it serves: tests that must cover every route go through this. */
  routes: readonly Route[];
  /** Removes the containers of all namespaces with their anonymous volumes. @returns how many there were. */
  removeContainers(): Promise<number>;
  /** Stops serving and watching; containers run on. */
  close(): Promise<void>;
};

type Parts = {
  config: AgentConfig;
  options: AgentOptions;
  events: EventBus;
  containers: Containers;
  images: ImageService;
  volumes: Volumes;
  networks: Networks;
  archive: Archives;
  cgroups: CgroupLayout;
  execs: ExecService;
  builder: Builder;
  distribution: Distribution;
  commits: CommitService;
  runtime: RuntimeFacts;
  state: HostState;
  wishes: NetworkWishes;
  mesh: Mesh;
};

/**
 * Starts the engine: recovers what was cut off, then serves the Docker Engine API on `$FLOTILLA_RUN/engine.sock` and, when
 * this host has joined one, to its control plane.
 * @throws FlotillaError `conflict` when another agent uses the same directories, `unavailable` when a program is missing.
 */
export async function startAgent(config: AgentConfig, options: AgentOptions): Promise<Agent> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  mkdirSync(config.runDir, { recursive: true, mode: 0o755 });
  const lock = lockInstance(join(config.dataDir, "agent.lock"));
  const opened: (() => Promise<void> | void)[] = [() => lock.release()];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    const db = new Database(join(config.dataDir, "agent.db"));
    opened.push(() => db.close());
    const parts = await createParts({ config, options, db, opened });
    const routes = createRoutes(parts);
    const server = createApiServer({ routes, productVersion: options.productVersion, logger: options.logger });
    await server.listen(config.socketPath);
    opened.push(() => server.close());
    if (options.isAlone !== true) await joinOthers(parts, server, opened);
    options.logger.info("agent is ready", { socket: config.socketPath, instance: config.instance, version: options.productVersion });
    return { routes, removeContainers: () => removeContainers(parts.containers), close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function joinOthers(parts: Parts, server: ApiServer, opened: (() => Promise<void> | void)[]): Promise<void> {
  parts.state.desired.start();
  opened.push(() => parts.state.desired.close());
  await reportUnderlay(parts, opened);
  await untilApplied(parts.state.desired, NETWORK_KIND, realTimer);
  const link = joinControlPlane(parts, server);
  opened.push(() => link.close());
}

async function removeContainers(containers: Containers): Promise<number> {
  const views = containers.views();
  for (const { namespace, id } of views) await containers.remove(namespace, id, { force: true, volumes: true, link: false });
  return views.length;
}

type PartsRequest = { config: AgentConfig; options: AgentOptions; db: Database; opened: (() => Promise<void> | void)[] };

async function createParts({ config, options, db, opened }: PartsRequest): Promise<Parts> {
  const { logger } = options;
  const events = new EventBus();
  const state = createState(db, logger.child({ part: "state" }));
  const deps = { config, db, events, logger };
  const guards = openGuards(db, state.desired);
  const volumes = createVolumeStore(deps);
  const wishes = new NetworkWishes({ ...state, timer: realTimer, networkKind: NETWORK_KIND });
  const networks = createNetworkManager({ ...deps, addresses: wishes, requested: (...of) => containers.requestedAddresses(...of) });
  state.desired.register(
    [NETWORK_KIND, NETWORK_SERVICE_KIND],
    new NetworkReconciler(networks, state.observed, () => state.desired.reapply(NETWORK_KIND)),
  );
  // After the networks: who looks for what was refused looks at what came true as well.
  state.desired.register(NETWORK_REFUSAL, wishes);
  opened.push(() => networks.close());
  const { mesh, close: closeMesh } = createMesh({ observed: state.observed, logger, networks, instance: config.instance });
  state.desired.register(MESH_KIND, mesh);
  opened.push(closeMesh);
  // The image store asks who uses an image, the engine asks the image store for trees: one of the two comes first.
  const workers = makeArchiveWorkers(config);
  const builds = new BuildStore(db, Date.now);
  const images: ImageService = createImageStore({
    ...deps,
    workers,
    isHidden: (namespace, imageId) => builds.isHidden(namespace, imageId),
    usage: (namespace, imageId) =>
      containers
        .views(namespace)
        .filter((view) => view.imageId === imageId)
        .map((view) => ({ containerId: view.id, isRunning: view.status === "running" || view.status === "paused" })),
  });
  opened.push(() => images.close());
  const containers: Containers = createEngine({ ...deps, images, volumes, networks, guards, clock: { nowMs: Date.now } });
  guards.onChange((namespaces) => containers.applyLimits(namespaces));
  await images.recover();
  await containers.recover();
  opened.push(() => containers.close());
  const commits = new CommitService({ containers, images, events, db, logger });
  await commits.recover();
  const { dataDir } = config;
  const { productVersion } = options;
  const ownCredentials = new HostCredentials({ controlUrl: () => findControlUrl(dataDir), nowMs: Date.now });
  state.desired.register(REGISTRY_CREDENTIALS, ownCredentials);
  const distribution = createDistribution({ dataDir, images, productVersion, ownCredentials, nowMs: Date.now, random: Math.random });
  const pullBase = createPullBase(distribution);
  const builder = new Builder({ config, store: builds, images, containers, workers, events, logger, nowMs: Date.now, pullBase });
  await builder.recover();
  opened.push(() => builder.close());
  const archive = createArchiveService({ config, workers });
  const execs = new ExecService({ containers, events, logger, nowMs: Date.now });
  const health = new HealthMonitor({ containers, events, probe: execProbe(execs), logger, nowMs: Date.now });
  opened.push(() => health.close());
  const replicas = startReplicas({ config, db, events, logger, state, containers, images, networks, distribution });
  opened.push(() => replicas.close());
  const rotator = new LogRotator({ containers, events, logger });
  opened.push(() => rotator.close());
  const runtime = await readRuntimeFacts(containers.runtimePath());
  const made = { containers, images, volumes, networks, archive, execs, distribution, commits, builder, runtime, state, wishes, mesh };
  return { config, options, events, cgroups: detectCgroups(), ...made };
}

/** Whoever applies a kind of resource registers with `desired` here; whoever observes something publishes to `observed`. */
function createState(db: Database, logger: Logger): HostState {
  const desired = new DesiredState({ store: new DesiredStore(db), logger, timer: realTimer, random: Math.random });
  return { desired, observed: new ObservedState(logger), logger };
}

function createRoutes(parts: Parts): Route[] {
  const { config, options, containers, images, volumes, networks, events, archive, cgroups, execs, distribution, builder } = parts;
  const registry = { distribution, nowMs: Date.now };
  const attach = new AttachService({ containers, events, logger: options.logger });
  return [
    ...createSystemRoutes({
      product: { version: options.productVersion, commit: options.commit ?? "" },
      engineId: config.instance,
      dataDir: config.dataDir,
      runtime: parts.runtime,
      containers,
      events,
      countImages: (namespace) => images.list(namespace, { filters: new Map(), withSharedSize: false }).length,
      registries: () => describeRegistries(config.dataDir),
      warnings: () => [],
      nowMs: Date.now,
      diskUsage: (namespace, kinds) => measureDiskUsage({ containers, images, volumes, builder }, namespace, kinds),
    }),
    ...createContainerRoutes(containers, execs),
    ...createProcessRoutes({ containers, images, cgroups }),
    ...createStatsRoutes({ containers, cgroups }),
    ...createLogRoutes({ containers, events }),
    ...createExecRoutes({ containers, execs }),
    ...createAttachRoutes({ containers, events, attach }),
    ...imageRoutes({
      images,
      pull: (call) => pull(registry, call),
      fetch: async (url, signal) => (await openUrl({ deps: { config }, signal }, url)).body,
    }),
    ...flotillaImageRoutes({ images }),
    ...distributionRoutes(registry),
    commitRoute(parts.commits),
    ...buildRoutes({ builder }),
    ...archiveRoutes({ containers, archive }),
    exportRoute({ containers, images, archive, events }),
    ...volumeRoutes({ volumes, events }),
    ...networkRoutes({ networks, connector: containers, cluster: parts.wishes }),
    ...reachRoutes(createReach(parts)),
    ...unimplementedRoutes,
  ];
}

/** Before the first connection: a control plane that hears of a host without an underlay tells it of no network. */
async function reportUnderlay({ config, state, mesh, networks }: Parts, opened: (() => Promise<void> | void)[]): Promise<void> {
  const underlay = new UnderlayReporter({
    stack: openNetworkStack(),
    observed: state.observed,
    ownLinks: [bridgePrefix(config.instance), uplinkPrefix(config.instance), tunnelPrefix(config.instance)],
    controlUrl: () => findControlUrl(config.dataDir),
    answerProbes: mesh.listen.bind(mesh),
    encryption: () => networks.encryption(),
  });
  opened.push(() => underlay.close());
  await underlay.look();
}

function joinControlPlane(parts: Parts, server: ApiServer): Link {
  const { config, options, containers, state } = parts;
  return startLink({
    dataDir: config.dataDir,
    agentVersion: options.productVersion,
    logger: options.logger.child({ part: "link" }),
    handleStream: (stream, headers) => server.handleHttp2Stream(stream, headers),
    serveState: (stream, origin) => void serveState(stream, state, origin),
    countContainers: () => {
      const views = containers.views();
      return { running: views.filter((view) => view.status === "running" || view.status === "paused").length, total: views.length };
    },
  });
}

/** `node agent/src/main.ts`: the agent as a process of its own. SIGTERM and SIGINT end it; containers run on. */
async function runAgentProcess(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createPinoLogger({ level: config.logLevel, isTerminal: process.stderr.isTTY, fd: 2 });
  // What nobody caught is a bug of one call: it is logged, and the other containers keep their engine.
  process.on("unhandledRejection", (reason) => {
    const error = toFlotillaError(reason);
    logger.error("a promise was rejected and nobody listened", { error: error.message, stack: error.stack });
  });
  process.on("uncaughtException", (error) => logger.error("an exception was not caught", { error: error.message, stack: error.stack }));
  try {
    const agent = await startAgent(config, { logger, productVersion: PRODUCT_VERSION });
    // Node writes what it compiled at a regular end; an agent that is killed may never have one.
    flushCompileCache();
    const stop = (): void => {
      agent.close().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error("the agent could not stop cleanly", { error: toFlotillaError(error).message });
          process.exit(1);
        },
      );
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
    // Started by `flotilla up` there is a channel to it: when it was killed, nobody would end this process.
    process.once("disconnect", stop);
  } catch (error) {
    logger.error("the agent cannot start", { error: toFlotillaError(error).message });
    process.exitCode = 1;
  }
}

const PRODUCT_VERSION = "0.1.0";

if (import.meta.main) await runAgentProcess();
