import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { join } from "node:path";
import { type ApiContext, createRestHandler, createTrpcHttpHandler } from "@flotilla/api";
import type { Logger } from "@flotilla/core";
import type { SigningKey } from "@flotilla/protocol";
import { type ConnectionOptions, type ControlDatabase, migrate, openDatabase } from "@flotilla/db";
import {
  type Actor,
  CallerTickets,
  ensureFirstTeam,
  HOST_COMPOSERS,
  HOST_STATE_CHANNEL,
  HostHistory,
  issueLocalJoinToken,
  issueSetupToken,
  type LiveFeed,
  parseScope,
  RefusalLog,
  sealOldSources,
  type ServiceContext,
  setUpUnattended,
  ShortCache,
  UpstreamPulls,
  StreamBounds,
} from "@flotilla/services";
import { AgentHub } from "./agent-hub/agent-hub.ts";
import { StateStreams } from "./agent-hub/state-streams.ts";
import { type Auth, createAuth } from "./auth/create-auth.ts";
import { SignInGuard } from "./auth/sign-in-guard.ts";
import { DockerProxy } from "./docker-proxy/docker-proxy.ts";
import { type ControlConfig, isAnyAddress } from "./env.ts";
import { FrontDoor, type PageHandler } from "./http/front-door.ts";
import { RateLimits } from "./http/rate-limits.ts";
import { createListener, listen } from "./http/listener.ts";
import { lockDirectory } from "./lock-directory.ts";
import { makeLiveFeed } from "./make-live-feed.ts";
import { LiveGuard } from "./live-guard.ts";
import { Metrics } from "./metrics.ts";
import { HostWatch } from "./host-watch.ts";
import { OverlayUpkeep } from "./overlay-upkeep.ts";
import { HostRouter } from "./peers/host-router.ts";
import { PeerDoor } from "./peers/peer-door.ts";
import { Peers } from "./peers/peers.ts";
import { describeCaller, issueRelayedTicket } from "./peers/relayed-callers.ts";
import { servePeer } from "./peers/serve-peer.ts";
import { startPostgres } from "./postgres/start-postgres.ts";
import { FileStorage } from "./registry/file-storage.ts";
import { RegistryDoor } from "./registry/registry-door.ts";
import { RegistryMaintenance } from "./registry/registry-maintenance.ts";
import { ensureSecrets } from "./secrets-file.ts";
import { listenForAudit } from "./listen-for-audit.ts";
import { listenForStacks } from "./listen-for-stacks.ts";
import { TerminalSessions } from "./terminal/terminal-sessions.ts";
import { startWebhookCourier } from "./webhook-courier.ts";
import { TrpcSockets } from "./trpc-sockets.ts";

const MIGRATIONS = join(import.meta.dirname, "..", "..", "..", "..", "prisma", "migrations");

export type StartOptions = {
  config: ControlConfig;
  logger: Logger;
  version: string;
  page?: PageHandler | undefined;
  /** Hosts are judged from so long after the start; a test need not wait for a minute. */
  judgeAfterMs?: number;
};

export type Control = {
  /** Where it listens, such as `http://127.0.0.1:7420`. */
  url: string;
  /** One-time link that makes the first administrator; undefined once there is one. */
  setupUrl: string | undefined;
  services: ServiceContext;
  /** A token by which this machine's own agent joins as host `local`. */
  issueLocalJoinToken(): Promise<string>;
  close(): Promise<void>;
};

type Undo = (() => Promise<void> | void)[];

/** Starts database, services and server, in this order; `close` ends them in the other. A failed start leaves nothing running. */
export async function startControl(options: StartOptions): Promise<Control> {
  const undo: Undo = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return await start(options, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function openStorage(config: ControlConfig, undo: Undo): FileStorage {
  const storage = new FileStorage(join(config.dataDir, "registry"));
  undo.push(() => storage.close());
  return storage;
}

async function start(options: StartOptions, undo: Undo, close: () => Promise<void>): Promise<Control> {
  const { config, logger, version } = options;
  const secrets = ensureSecrets(config.dataDir);
  const lock = await lockDirectory(config.dataDir);
  undo.push(() => lock.release());
  const database = await openMigrated(config, { logger, password: secrets.postgresPassword, undo });
  const auth = createAuth({
    prisma: database.prisma,
    secret: secrets.authSecret,
    publicUrl: config.publicUrl,
    isTls: config.publicUrl.startsWith("https:"),
    onError: (message) => logger.warn("sign-in service", { detail: message }),
  });
  const callers = new CallerTickets();
  const planes = openPlanes({ options, database, callers, key: secrets.identity });
  const upstreams = new UpstreamPulls({
    prisma: database.prisma,
    sealKey: secrets.sealKey,
    nowMs: Date.now,
    userAgent: `flotilla-registry/${version}`,
  });
  undo.push(() => upstreams.close());
  const services: ServiceContext = {
    prisma: database.prisma,
    links: planes.hosts,
    history: new HostHistory(planes.hosts, Date.now),
    composers: HOST_COMPOSERS,
    passwords: { hash: (password) => auth.hashPassword(password), verify: (password, hash) => auth.verifyPassword(password, hash) },
    refusals: new RefusalLog(),
    callers,
    cache: new ShortCache(),
    registry: {
      storage: openStorage(config, undo),
      tokenKey: secrets.registryTokenKey,
      sealKey: secrets.sealKey,
      upstreams,
    },
    logger,
    nowMs: Date.now,
    version,
    publicUrl: config.publicUrl,
    overlayPool: config.overlayPool,
    serverKey: secrets.identity.publicKey,
  };
  planes.hub.attach(services, planes.peers);
  await prepareRows(services, config.admin);
  const server = serve({ options, services, auth, planes, undo, database });
  startUpkeep({ options, services, hub: planes.hub, undo });
  const url = await listen(server, config);
  await planes.peers.start(config.peerUrl ?? (isAnyAddress(config.listen.host) ? config.publicUrl : url));
  const setupToken = await issueSetupToken(services);
  return {
    url,
    setupUrl: setupToken === undefined ? undefined : `${config.listen.port === 0 ? url : config.publicUrl}/setup#token=${setupToken}`,
    services,
    issueLocalJoinToken: () => issueLocalJoinToken(services),
    close,
  };
}

/** What must be in the database before anybody calls. */
async function prepareRows(services: ServiceContext, admin: ControlConfig["admin"]): Promise<void> {
  await ensureFirstTeam(services);
  await sealOldSources(services);
  if (admin !== undefined) await setUpAdmin(services, admin);
}

/** Connected hosts: those here, the other control planes, and all of them together. */
type Planes = { hub: AgentHub; peers: Peers; hosts: HostRouter; key: SigningKey; ownId: string };
type PlanesOptions = { options: StartOptions; database: ControlDatabase; callers: CallerTickets; key: SigningKey };

function openPlanes({ options, database, callers, key }: PlanesOptions): Planes {
  const { config, logger, version } = options;
  const ownId = randomBytes(16).toString("hex");
  const hub = new AgentHub({ key, isBehindProxy: config.isBehindProxy });
  const peers = new Peers({ database, hub, logger, version, key, ownId });
  const hosts = new HostRouter({ hub, peers, describeCaller: (hostId, ticket) => describeCaller(callers, hostId, ticket) });
  return { hub, peers, hosts, key, ownId };
}

function openPeerDoor(services: ServiceContext, { hub, key, ownId }: Planes, isBehindProxy: boolean): PeerDoor {
  const issueTicket = (hostId: string, caller: string): ReturnType<typeof issueRelayedTicket> =>
    issueRelayedTicket(services, hostId, caller);
  const serving = { hub, issueTicket, logger: services.logger };
  return new PeerDoor({ services, key, planeId: ownId, isBehindProxy, serve: (stream, headers) => servePeer(stream, headers, serving) });
}

/** What a control plane does by itself, with nobody asking. */
function startUpkeep({ options, services, hub, undo }: Pick<ServeOptions, "options" | "services" | "undo"> & { hub: AgentHub }): void {
  const maintenance = new RegistryMaintenance(services);
  const upkeep = new OverlayUpkeep(services);
  const watch = new HostWatch({ services, tell: (hostId) => hub.tell({ hostId, kind: "state" }), judgeAfterMs: options.judgeAfterMs });
  undo.push(
    () => maintenance.close(),
    () => upkeep.close(),
    () => watch.close(),
  );
}

async function openMigrated(config: ControlConfig, more: { logger: Logger; password: string; undo: Undo }): Promise<ControlDatabase> {
  let connection: ConnectionOptions;
  if (config.databaseUrl === undefined) {
    const postgres = await startPostgres({ directory: join(config.dataDir, "postgres"), password: more.password, logger: more.logger });
    more.undo.push(() => postgres.stop());
    connection = postgres.connection;
  } else connection = { url: config.databaseUrl };
  const report = await migrate(connection, MIGRATIONS);
  if (report.applied.length > 0) more.logger.info("database brought up to date", { applied: report.applied });
  const database = openDatabase(connection);
  more.undo.push(() => database.close());
  return database;
}

async function setUpAdmin(services: ServiceContext, admin: NonNullable<ControlConfig["admin"]>): Promise<void> {
  const { email, password, token } = admin;
  const isMade = await setUpUnattended(services, {
    name: "Administrator",
    email: email.toLowerCase(),
    password,
    teamName: "Team",
    apiToken: token,
  });
  if (isMade) services.logger.info("administrator made from the environment", { email });
}

type ServeOptions = { options: StartOptions; services: ServiceContext; auth: Auth; planes: Planes; undo: Undo; database: ControlDatabase };

function serve({ options, services, auth, planes, undo, database }: ServeOptions): Server {
  const { hub, peers, hosts } = planes;
  const peerDoor = openPeerDoor(services, planes, options.config.isBehindProxy);
  const { config } = options;
  const guard = new LiveGuard(services);
  const live = makeLiveFeed({ services, hosts, hub });
  undo.push(listenForAudit(database, { services, live, keepDays: config.auditDays }), startWebhookCourier(database, services));
  const states = new StateStreams(hub, services);
  undo.push(listenForStates({ database, services, states, live }), listenForStacks(database, { services, live, states }));
  const terminals = new TerminalSessions({ services, hosts, guard });
  const makeContext = (actor: Actor): ApiContext => ({ services, actor, terminals, live });
  const bounds = new StreamBounds(config.streams);
  const trpcSockets = new TrpcSockets({ guard, bounds, makeContext });
  const signInGuard = new SignInGuard(services.prisma);
  const limits = new RateLimits({ perSecond: config.apiRate });
  const door: FrontDoor = new FrontDoor({
    services,
    auth,
    hub,
    peers: peerDoor,
    terminals,
    signInGuard,
    limits,
    registry: new RegistryDoor({ services, guard, signInGuard, limits }),
    docker: new DockerProxy({ services, hosts, guard, limits, bounds }),
    trpc: createTrpcHttpHandler(async (...call) => makeContext(await door.admit(...call))),
    rest: createRestHandler(async (...call) => makeContext(await door.admit(...call))),
    trpcSocket: (req, socket, more) => trpcSockets.handleUpgrade(req, socket, more),
    page: options.page,
    isBehindProxy: config.isBehindProxy,
    isTls: config.tls !== undefined,
    metrics: new Metrics(services, { connectedHosts: () => hub.size, openTerminals: () => terminals.size, openStreams: () => guard.size }),
    isReady: async () =>
      services.prisma.$queryRaw`SELECT 1`.then(
        () => true,
        () => false,
      ),
  });
  const { server, close } = createListener(config.tls);
  server.on("request", (req, res) => door.handle(req, res));
  server.on("upgrade", (req, socket, head) => door.handleUpgrade(req, socket, head));
  undo.push(close);
  undo.push(
    () => peers.close(),
    () => peerDoor.close(),
    () => hub.close(),
    () => hosts.close(),
    () => live.close(),
    () => states.close(),
    () => trpcSockets.close(),
    () => terminals.close(),
    () => guard.close(),
  );
  return server;
}

type StateListening = { database: ControlDatabase; services: ServiceContext; states: StateStreams; live: LiveFeed };

/** Hears from all control planes on this database that hosts' desired state may have changed. */
function listenForStates({ database, services, states, live }: StateListening): () => Promise<void> {
  return database.listen({
    channel: HOST_STATE_CHANNEL,
    onPayload: (payload) => {
      const scope = parseScope(payload);
      void states.refresh(scope);
      // It may be shared with another team now, or not any more.
      if (typeof scope === "object" && "hostId" in scope) void live.refresh(scope.hostId);
    },
    onListening: () => void states.refresh("all"),
    onLost: (error) => services.logger.warn("notifications of desired state were lost for a moment", { error: error.message }),
  });
}
