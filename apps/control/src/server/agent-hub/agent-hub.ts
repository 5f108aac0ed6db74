import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Host } from "@flotilla/db";
import {
  HEARTBEAT_INTERVAL_MS,
  LINK_SUBPROTOCOL,
  LinkSocket,
  MAX_MESSAGE_BYTES,
  REFUSAL_CODES,
  SILENCE_LIMIT_MS,
  type SigningKey,
} from "@flotilla/protocol";
import { heartbeatIntervalMs, type HostChangeKind, type HostLiveState, lastSeenStepMs, type ServiceContext } from "@flotilla/services";
import { WebSocketServer } from "ws";
import { Admission } from "./admission.ts";
import { auditRefusal } from "./audit-refusal.ts";
import { HostConnection } from "./host-connection.ts";
import { beginEpoch, findProvedHost, type Ownership, registerHost } from "./register-host.ts";
import { type Channel, channelOf, proveBothEnds, type ProvedAgent, refuse } from "./server-handshake.ts";

type Change = { hostId: string; kind: HostChangeKind };

/** Handshakes a second, and at once: 1,000 hosts are back within half a minute of a restart, and pages answer meanwhile. */
const ADMISSION = { perSecond: 50, burst: 100 };
const DUPLICATE_PROBE_MS = 2_000;
const DUPLICATE_RETRY_MS = 30_000;
const DUPLICATE_FLAG = "another machine uses this host's key";

export type AgentHubOptions = { key: SigningKey; isBehindProxy: boolean };

/**
 * The hosts that are connected here. INVARIANTS: at most one connection per host; a connection is in the map from after its epoch was
 * counted until its socket is closed; only proved agents get as far as the map.
 */
export class AgentHub {
  readonly #options: AgentHubOptions;
  readonly #connections = new Map<string, HostConnection>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #admission = new Admission(ADMISSION);
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: chooseProtocol,
    clientTracking: true,
  });
  readonly #lastSeen = new Map<string, number>();
  readonly #writes = new Set<Promise<void>>();
  #attached: { services: ServiceContext; ownership: Ownership } | undefined;

  constructor(options: AgentHubOptions) {
    this.#options = options;
  }

  /** The services need the hub and the hub needs them: the composition root joins them once. */
  attach(services: ServiceContext, ownership: Ownership): void {
    this.#attached = { services, ownership };
  }

  find(hostId: string): HostConnection | undefined {
    return this.#connections.get(hostId);
  }

  connections(): Iterable<HostConnection> {
    return this.#connections.values();
  }

  state(hostId: string): HostLiveState {
    const connection = this.#connections.get(hostId);
    const isElsewhere = false;
    if (connection === undefined)
      return { isOnline: false, stats: null, facts: null, lastSeenAtMs: this.#lastSeen.get(hostId) ?? null, isElsewhere };
    const { stats, facts, socket } = connection;
    return { isOnline: true, stats, facts, lastSeenAtMs: socket.lastHeardMs, isElsewhere };
  }

  get size(): number {
    return this.#connections.size;
  }

  drop(hostId: string, reason: string): void {
    const connection = this.#connections.get(hostId);
    connection?.socket.close(1008, reason);
    connection?.destroy();
    this.#lastSeen.delete(hostId);
  }

  /** Ends a connection that is the host's no more: its epoch is below the host's. */
  fence(hostId: string, below: number, reason: string): void {
    const connection = this.#connections.get(hostId);
    if (connection === undefined || connection.epoch >= below) return;
    connection.socket.close(1008, reason);
    connection.destroy();
    this.#forget(connection, reason);
  }

  /**
   * A process of the host wants to connect, here or to another control plane: the connection that is here makes room. Returns false
   * when it is of another living process, and stays.
   */
  async makeRoom(hostId: string, processId: string): Promise<boolean> {
    const old = this.#connections.get(hostId);
    if (old === undefined) return true;
    if (old.processId !== processId && (await isAlive(old))) return false;
    old.destroy();
    this.#forget(old, "replaced");
    return true;
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everybody who listens of a change that was found elsewhere. */
  tell(change: Change): void {
    this.#emit(change);
  }

  /** Takes an upgrade of `/agent/v1`. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, options: { head: Buffer; address: string }): void {
    const protocols = (req.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    if (!protocols.includes(LINK_SUBPROTOCOL) || req.headers.origin !== undefined) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      return;
    }
    if (!this.#admission.tryTake()) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\n\r\n");
      return;
    }
    const channel = channelOf(req, { address: options.address, isBehindProxy: this.#options.isBehindProxy });
    this.#sockets.handleUpgrade(req, socket, options.head, (webSocket) => void this.#admit(new LinkSocket(webSocket), channel));
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) {
      connection.socket.close(1001, "the control plane stops");
      connection.destroy();
      this.#forget(connection, "the control plane stops");
    }
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    await Promise.all(this.#writes);
  }

  async #admit(socket: LinkSocket, channel: Channel): Promise<void> {
    const { services, ownership } = this.#require();
    let agent: ProvedAgent | undefined;
    try {
      agent = await proveBothEnds(socket, channel, this.#options.key);
      if (agent.hello.purpose === "join") {
        const host = await registerHost(services, agent, channel.address);
        socket.sendText({ type: "welcome", hostId: host.id, name: host.name, epoch: host.epoch });
        socket.close(1000, "joined");
        return;
      }
      const host = await findProvedHost(services, agent.hello);
      await this.#makeRoomEverywhere(host, agent, channel.address);
      const epoch = await beginEpoch({ services, ownership }, host, { hello: agent.hello, address: channel.address });
      this.#connect(host, { socket, agent, epoch });
    } catch (error) {
      await this.#turnAway(socket, error, { agent, channel });
    }
  }

  /** The old connection of a host that dials again makes room; a second living process with the key is refused, and both are flagged. */
  async #makeRoomEverywhere(host: Host, agent: ProvedAgent, address: string): Promise<void> {
    const { services, ownership } = this.#require();
    const { processId } = agent.hello;
    if ((await this.makeRoom(host.id, processId)) && (await ownership.makeRoom(host.id, processId))) return;
    await services.prisma.host.updateMany({ where: { id: host.id }, data: { flag: DUPLICATE_FLAG } });
    this.#emit({ hostId: host.id, kind: "stats" });
    throw refuse(
      "duplicate",
      `a machine with the key of host ${host.name} is connected already (this one: ${address}); both are flagged`,
      DUPLICATE_RETRY_MS,
    );
  }

  #connect(host: Host, made: { socket: LinkSocket; agent: ProvedAgent; epoch: number }): void {
    const { socket, agent, epoch } = made;
    const rival = this.#connections.get(host.id);
    if (rival !== undefined) {
      // Two handshakes of one host at once: the higher epoch stays.
      if (rival.epoch > epoch) throw refuse("duplicate", "a newer connection of this host is there already", DUPLICATE_RETRY_MS);
      rival.destroy();
      this.#forget(rival, "replaced");
    }
    socket.sendText({ type: "welcome", hostId: host.id, name: host.name, epoch });
    const { processId, facts } = agent.hello;
    const onStats = (): void => this.#onHeartbeat(host.id, socket);
    const statsIntervalMs = (): number => heartbeatIntervalMs(this.size);
    const ids = { hostId: host.id, hostName: host.name, epoch, processId };
    const connection = new HostConnection({ ...ids, facts, socket, onStats, statsIntervalMs });
    this.#connections.set(host.id, connection);
    const ping = setInterval(() => {
      if (Date.now() - socket.lastHeardMs > SILENCE_LIMIT_MS) connection.destroy();
      else socket.ping();
    }, HEARTBEAT_INTERVAL_MS);
    void socket.closed.then((reason) => {
      clearInterval(ping);
      connection.destroy();
      this.#forget(connection, reason);
    });
    this.#require().services.logger.info("host is online", { hostId: host.id, name: host.name, epoch });
    this.#emit({ hostId: host.id, kind: "online" });
  }

  #onHeartbeat(hostId: string, { lastHeardMs }: LinkSocket): void {
    if (lastHeardMs - (this.#lastSeen.get(hostId) ?? 0) >= lastSeenStepMs(this.size)) this.#writeLastSeen(hostId, lastHeardMs);
    this.#emit({ hostId, kind: "stats" });
  }

  #forget(connection: HostConnection, reason: string): void {
    if (this.#connections.get(connection.hostId) !== connection) return;
    this.#connections.delete(connection.hostId);
    this.#writeLastSeen(connection.hostId, connection.socket.lastHeardMs, connection.epoch);
    this.#require().services.logger.info("host is offline", { hostId: connection.hostId, reason });
    this.#emit({ hostId: connection.hostId, kind: "offline" });
  }

  /** @param ended epoch of the connection, if it has ended. */
  #writeLastSeen(hostId: string, atMs: number, ended?: number): void {
    this.#lastSeen.set(hostId, atMs);
    const write = this.#tryWriteLastSeen(hostId, atMs, ended);
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }

  async #tryWriteLastSeen(hostId: string, atMs: number, ended: number | undefined): Promise<void> {
    const { services, ownership } = this.#require();
    try {
      if (ended !== undefined) await ownership.release({ hostId, epoch: ended });
      await services.prisma.host.updateMany({ where: { id: hostId }, data: { lastSeenAt: new Date(atMs) } });
    } catch (error) {
      services.logger.warn("last seen could not be written", { hostId, error: toFlotillaError(error).message });
    }
  }

  async #turnAway(socket: LinkSocket, error: unknown, who: { agent: ProvedAgent | undefined; channel: Channel }): Promise<void> {
    const { services } = this.#require();
    const known = toFlotillaError(error);
    const code = REFUSAL_CODES.find((refusal) => refusal === known.details["refusal"]);
    const retryAfterMs = known.details["retryAfterMs"];
    if (code === undefined) services.logger.warn("handshake ended", { address: who.channel.address, error: known.message });
    else {
      await auditRefusal(services, code, { hello: who.agent?.hello, address: who.channel.address });
      socket.sendText({ type: "refused", code, message: known.message, ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}) });
    }
    socket.close(1008, code ?? "handshake");
    setTimeout(() => socket.terminate(), DUPLICATE_PROBE_MS).unref();
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #require(): { services: ServiceContext; ownership: Ownership } {
    if (this.#attached === undefined) throw new FlotillaError("internal", "the agent hub is not attached");
    return this.#attached;
  }
}

/** Whether the other end still answers: asked by a ping, since a half-open connection looks alive for a while. */
async function isAlive(connection: HostConnection): Promise<boolean> {
  const askedAt = Date.now();
  connection.socket.ping();
  for (let waited = 0; waited < DUPLICATE_PROBE_MS; waited += 50) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    // An answer within the same millisecond counts: over loopback it often comes that soon.
    if (connection.socket.lastHeardMs >= askedAt) return true;
  }
  return false;
}

function chooseProtocol(protocols: Set<string>): string | false {
  return protocols.has(LINK_SUBPROTOCOL) ? LINK_SUBPROTOCOL : false;
}
