import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Host } from "@flotilla/db";
import {
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  HEARTBEAT_INTERVAL_MS,
  LINK_SUBPROTOCOL,
  LinkSocket,
  MAX_MESSAGE_BYTES,
  REFUSAL_CODES,
  SILENCE_LIMIT_MS,
  type SigningKey,
} from "@flotilla/protocol";
import {
  type Actor,
  heartbeatIntervalMs,
  type HostChangeKind,
  type HostLinks,
  type HostLiveState,
  hostObject,
  lastSeenStepMs,
  type ObjectRef,
  recordAudit,
  type ServiceContext,
} from "@flotilla/services";
import { WebSocketServer } from "ws";
import { isLoopbackAddress } from "../env.ts";
import { Admission } from "./admission.ts";
import { HostConnection } from "./host-connection.ts";
import { beginEpoch, findProvedHost, registerHost } from "./register-host.ts";
import { type Channel, proveBothEnds, type ProvedAgent, refuse } from "./server-handshake.ts";

type Change = { hostId: string; kind: HostChangeKind };

/** Handshakes a second, and at once: 1,000 hosts are back within half a minute of a restart, and pages answer meanwhile. */
const ADMISSION = { perSecond: 50, burst: 100 };
const DUPLICATE_PROBE_MS = 2_000;
const DUPLICATE_RETRY_MS = 30_000;
const DUPLICATE_FLAG = "another machine uses this host's key";

export type AgentHubOptions = { key: SigningKey; isBehindProxy: boolean };

/**
 * The connected hosts. INVARIANTS: at most one connection per host; a connection is in the map from after its epoch was
 * counted until its socket is closed; only proved agents get as far as the map.
 */
export class AgentHub implements HostLinks {
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
  #services: ServiceContext | undefined;

  constructor(options: AgentHubOptions) {
    this.#options = options;
  }

  /** The services need the hub and the hub needs them: the composition root joins them once. */
  attach(services: ServiceContext): void {
    this.#services = services;
  }

  get(host: { id: string; name: string }): HostConnection {
    const connection = this.#connections.get(host.id);
    if (connection === undefined) throw new FlotillaError("unavailable", `host ${host.name} is not connected`);
    return connection;
  }

  state(hostId: string): HostLiveState {
    const connection = this.#connections.get(hostId);
    if (connection === undefined) return { isOnline: false, stats: null, facts: null, lastSeenAtMs: this.#lastSeen.get(hostId) ?? null };
    return { isOnline: true, stats: connection.stats, facts: connection.facts, lastSeenAtMs: connection.socket.lastHeardMs };
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
    const channel = this.#channelOf(req, options.address);
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

  #channelOf(req: IncomingMessage, address: string): Channel {
    const { socket } = req;
    const exporter =
      socket instanceof TLSSocket
        ? socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)).toString("base64url")
        : undefined;
    return { address, exporter, isLoopback: isLoopbackAddress(socket.remoteAddress ?? ""), isBehindProxy: this.#options.isBehindProxy };
  }

  async #admit(socket: LinkSocket, channel: Channel): Promise<void> {
    const services = this.#requireServices();
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
      await this.#replaceOld(host, agent, channel.address);
      const epoch = await beginEpoch(services, host, { hello: agent.hello, address: channel.address });
      this.#connect(host, { socket, agent, epoch });
    } catch (error) {
      await this.#turnAway(socket, error, { agent, channel });
    }
  }

  /** The old connection of a host that dials again makes room; a second living process with the key is refused, and both are flagged. */
  async #replaceOld(host: Host, agent: ProvedAgent, address: string): Promise<void> {
    const old = this.#connections.get(host.id);
    if (old === undefined) return;
    if (old.processId !== agent.hello.processId && (await isAlive(old))) {
      const services = this.#requireServices();
      await services.prisma.host.updateMany({ where: { id: host.id }, data: { flag: DUPLICATE_FLAG } });
      this.#emit({ hostId: host.id, kind: "stats" });
      throw refuse(
        "duplicate",
        `a machine with the key of host ${host.name} is connected already (this one: ${address}); both are flagged`,
        DUPLICATE_RETRY_MS,
      );
    }
    old.destroy();
    this.#forget(old, "replaced");
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
    this.#requireServices().logger.info("host is online", { hostId: host.id, name: host.name, epoch });
    this.#emit({ hostId: host.id, kind: "online" });
  }

  #onHeartbeat(hostId: string, { lastHeardMs }: LinkSocket): void {
    if (lastHeardMs - (this.#lastSeen.get(hostId) ?? 0) >= lastSeenStepMs(this.size)) this.#writeLastSeen(hostId, lastHeardMs);
    this.#emit({ hostId, kind: "stats" });
  }

  #forget(connection: HostConnection, reason: string): void {
    if (this.#connections.get(connection.hostId) !== connection) return;
    this.#connections.delete(connection.hostId);
    this.#writeLastSeen(connection.hostId, connection.socket.lastHeardMs);
    this.#requireServices().logger.info("host is offline", { hostId: connection.hostId, reason });
    this.#emit({ hostId: connection.hostId, kind: "offline" });
  }

  #writeLastSeen(hostId: string, atMs: number): void {
    this.#lastSeen.set(hostId, atMs);
    const write = this.#tryWriteLastSeen(hostId, atMs);
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }

  async #tryWriteLastSeen(hostId: string, atMs: number): Promise<void> {
    const services = this.#requireServices();
    try {
      await services.prisma.host.updateMany({ where: { id: hostId }, data: { lastSeenAt: new Date(atMs) } });
    } catch (error) {
      services.logger.warn("last seen could not be written", { hostId, error: toFlotillaError(error).message });
    }
  }

  async #turnAway(socket: LinkSocket, error: unknown, who: { agent: ProvedAgent | undefined; channel: Channel }): Promise<void> {
    const services = this.#requireServices();
    const known = toFlotillaError(error);
    const code = REFUSAL_CODES.find((refusal) => refusal === known.details["refusal"]);
    const retryAfterMs = known.details["retryAfterMs"];
    if (code === undefined) services.logger.warn("handshake ended", { address: who.channel.address, error: known.message });
    else {
      await this.#auditRefusal(code, who);
      socket.sendText({ type: "refused", code, message: known.message, ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}) });
    }
    socket.close(1008, code ?? "handshake");
    setTimeout(() => socket.terminate(), DUPLICATE_PROBE_MS).unref();
  }

  async #auditRefusal(code: string, who: { agent: ProvedAgent | undefined; channel: Channel }): Promise<void> {
    const services = this.#requireServices();
    const hello = who.agent?.hello;
    const actor: Actor = { kind: "anonymous", address: who.channel.address };
    if (!services.refusals.admit(`link\0${who.channel.address}\0${code}\0${hello?.subject ?? ""}`)) return;
    try {
      const host = hello?.purpose === "connect" ? await services.prisma.host.findUnique({ where: { id: hello.subject } }) : null;
      const object: ObjectRef =
        host === null ? { kind: "host", id: hello?.subject ?? "", name: hello?.name ?? "", teamId: null } : hostObject(host);
      const action = hello?.purpose === "join" ? "host.join" : "host.connect";
      await recordAudit(services.prisma, { actor, action, object, outcome: "refused", detail: { reason: code } });
    } catch (error) {
      services.logger.error("refused agent could not be audited", { code, error: toFlotillaError(error).message });
    }
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #requireServices(): ServiceContext {
    if (this.#services === undefined) throw new FlotillaError("internal", "the agent hub is not attached");
    return this.#services;
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
