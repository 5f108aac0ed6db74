import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import { type Logger, toFlotillaError } from "@flotilla/core";
import {
  MESH_KIND,
  type MeshPeer,
  type MeshState,
  meshState,
  PEERS,
  PROBE_PORT,
  type Resource,
  type ResourceFailure,
} from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { ProbeSocket, ProbeSocketOptions } from "../host/probe-socket.ts";
import type { ObservedPublisher } from "../state/observed-state.ts";
import type { Reconciler } from "../state/reconcilers.ts";
import { type EnvelopeOrder, EnvelopeWatch } from "./envelope-watch.ts";
import { PeerReports } from "./peer-report.ts";
import { type PeerView, PeerWatch, type ProbeOrder, TICK_MS } from "./peer-watch.ts";
import { PulseWatch } from "./pulse-watch.ts";
import { decodeProbe, encodeProbe, PROBE_BYTES } from "./probe-message.ts";

export type MeshOptions = {
  observed: ObservedPublisher;
  logger: Logger;
  openSocket: (options: ProbeSocketOptions) => Promise<ProbeSocket>;
  /** Never goes back; milliseconds with fractions. */
  nowMs: () => number;
  /** Lets probes that are sent to the port of VXLAN reach the port of probes; that port, or undefined when it is not possible. */
  takeEnvelopes: (probePort: number) => Promise<number | undefined>;
  /** The hosts that this one does not reach are others than before. */
  onReach: (unreachable: ReadonlySet<number>) => void;
};

/** Where probes are answered; `envelopePort` is VXLAN's. */
export type ProbePorts = { probePort: number | null; envelopePort?: number };

const NOWHERE: ProbePorts = { probePort: null };

/** Headers of IP and UDP. */
const HEADER_BYTES = { 4: 28, 6: 48 } as const;
/** The largest UDP datagram. */
const MAX_DATAGRAM_BYTES = 65_507;

const makeNonce = (): string => randomBytes(8).toString("hex");

/**
 * Watches the other hosts and answers them: one socket on the underlay's address, one timer, no process. Works from what is
 * stored, so also with the control plane away.
 */
export class Mesh implements Reconciler {
  readonly #options: MeshOptions;
  readonly #watch = new PeerWatch({ makeNonce });
  readonly #envelopes = new EnvelopeWatch(makeNonce);
  readonly #pulses = new PulseWatch(makeNonce);
  readonly #reports = new PeerReports();
  #state: MeshState = { self: 1, peers: [] };
  readonly #peers = new Map<number, MeshPeer & { keyBytes: Buffer }>();
  #socket: { address: string; linkMtuBytes: number; door: ProbeSocket } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #unreachable = "";
  #isClosed = false;

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  async apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    const [first] = resources;
    const parsed = meshState.safeParse(first?.body ?? { self: 1, peers: [] });
    if (!parsed.success) return [{ key: first?.key ?? MESH_KIND, message: "the list of peers is not of a form that this agent knows" }];
    this.#state = parsed.data;
    const wanted = new Map(parsed.data.peers.map((peer) => [peer.number, peer]));
    for (const [number, before] of this.#peers) {
      if (wanted.get(number)?.address !== before.address) this.#watch.forget(number);
    }
    this.#peers.clear();
    for (const peer of wanted.values()) {
      this.#peers.set(peer.number, { ...peer, address: canonicalIp(peer.address), keyBytes: Buffer.from(peer.key, "base64url") });
    }
    this.#settle();
    return [];
  }

  /**
   * Answers and asks at an address of this host from now on. @returns the ports; null when that is not possible, which is
   * tried again with the next call.
   */
  async listen(at: { address: string; linkMtuBytes: number }): Promise<ProbePorts> {
    const probePort = await this.#open(at);
    if (probePort === null) return NOWHERE;
    const envelopePort = await this.#options.takeEnvelopes(probePort);
    return envelopePort === undefined ? { probePort } : { probePort, envelopePort };
  }

  async #open({ address, linkMtuBytes }: { address: string; linkMtuBytes: number }): Promise<number | null> {
    const before = this.#socket;
    if (before?.address === address) {
      before.linkMtuBytes = linkMtuBytes;
      this.#settle();
      return before.door.port;
    }
    this.#stopListening();
    try {
      const onDatagram: ProbeSocketOptions["onDatagram"] = (datagram, from) => this.#receive(datagram, from);
      const door = await this.#options.openSocket({ address, preferredPort: PROBE_PORT, onDatagram });
      if (this.#isClosed) {
        door.close();
        return null;
      }
      this.#socket = { address, linkMtuBytes, door };
      this.#settle();
      return door.port;
    } catch (error) {
      this.#options.logger.warn("peers cannot be probed", { address, error: toFlotillaError(error).message });
      return null;
    }
  }

  /** What is known of the peers now. */
  views(): PeerView[] {
    return this.#watch.views().map((view) => {
      const envelope = this.#envelopes.state(view.number);
      return envelope === undefined ? view : { ...view, envelope };
    });
  }

  /** Numbers of the hosts that this one does not reach now, or has reason to think so. */
  unreachable(): ReadonlySet<number> {
    return new Set([...this.#watch.unreachable(), ...this.#pulses.suspects()]);
  }

  close(): void {
    this.#isClosed = true;
    this.#stopListening();
  }

  #stopListening(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#socket?.door.close();
    this.#socket = undefined;
  }

  #settle(): void {
    const linkMtuBytes = this.#socket?.linkMtuBytes ?? 0;
    this.#watch.setPeers([...this.#peers.keys()], { linkMtuBytes, nowMs: this.#options.nowMs() });
    const isNeeded = this.#socket !== undefined && this.#peers.size > 0;
    if (!isNeeded) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    this.#tell();
  }

  #tick(): void {
    const nowMs = this.#options.nowMs();
    for (const order of this.#watch.due(nowMs)) this.#ask(order);
    for (const { peer, nonce } of this.#pulses.due(this.#watch.views(), nowMs)) this.#ask({ peer, nonce, packetBytes: undefined });
    const reached = this.#watch.views().flatMap(({ number, state }) => (state === "up" && this.#peers.get(number)?.envelopePort !== undefined ? [number] : [])); // prettier-ignore
    for (const order of this.#envelopes.due(reached, nowMs)) this.#askInEnvelope(order);
    this.#tell();
  }

  #ask({ peer: number, nonce, packetBytes }: ProbeOrder): void {
    const peer = this.#peers.get(number);
    if (peer === undefined || this.#socket === undefined) return;
    const { self } = this.#state;
    const wantedBytes = (packetBytes ?? 0) - HEADER_BYTES[isIPv6(peer.address) ? 6 : 4];
    const lengthBytes = Math.min(MAX_DATAGRAM_BYTES, Math.max(PROBE_BYTES, wantedBytes));
    const question = encodeProbe({ kind: "question", sender: self, receiver: number, nonce }, peer.keyBytes, lengthBytes);
    this.#socket.door.send(question, peer, () => this.#watch.tooLarge(number, nonce, this.#options.nowMs()));
  }

  /** To the port of VXLAN; the answer comes as any other. */
  #askInEnvelope({ peer: number, nonce }: EnvelopeOrder): void {
    const peer = this.#peers.get(number);
    if (peer?.envelopePort === undefined) return;
    const question = encodeProbe({ kind: "question", sender: this.#state.self, receiver: number, nonce }, peer.keyBytes);
    this.#socket?.door.send(question, { address: peer.address, port: peer.envelopePort });
  }

  #receive(datagram: Buffer, from: { address: string }): void {
    const nowMs = this.#options.nowMs();
    const message = decodeProbe(datagram, (sender) => this.#peers.get(sender)?.keyBytes);
    const peer = message === undefined ? undefined : this.#peers.get(message.sender);
    if (message === undefined || peer === undefined || message.receiver !== this.#state.self || from.address !== peer.address) return;
    if (message.kind === "answer") {
      const isOther = this.#envelopes.answered(peer.number, message.nonce) || this.#pulses.answered(peer.number, message.nonce, nowMs);
      if (!isOther) this.#watch.answered(peer.number, message.nonce, nowMs);
      return;
    }
    const answer = { kind: "answer", sender: this.#state.self, receiver: peer.number, nonce: message.nonce } as const;
    this.#socket?.door.send(encodeProbe(answer, peer.keyBytes), peer);
  }

  #tell(): void {
    const { observed, logger, nowMs, onReach } = this.#options;
    const unreachable = this.unreachable();
    const known = [...unreachable].join(" ");
    if (known !== this.#unreachable) {
      this.#unreachable = known;
      logger.info("hosts that this one does not reach", { hosts: [...unreachable] });
      onReach(unreachable);
    }
    const peers = this.#reports.step(this.views(), nowMs());
    if (peers === undefined) return;
    if (peers.length === 0) observed.remove(PEERS);
    else observed.set(PEERS, { linkMtuBytes: this.#socket?.linkMtuBytes ?? 0, peers });
  }
}
