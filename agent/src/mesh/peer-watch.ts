// Who of the other hosts is there: which probes to send when, and what their answers and silences mean. Pure; time and chance
// come in as arguments.
//
// A peer is asked once a second, and four times a second while it is in doubt, so that "no answer for three seconds" is twelve
// lost probes and not three: a path that loses a third of its packets is not taken for a cut one. What it was takes two
// answers to change back. Time in which this process did not run counts for nobody.
import type { PeerState } from "@flotilla/protocol";
import { PathMtuSearch } from "./path-mtu.ts";

/** How often `due` is to be called. */
export const TICK_MS = 250;
const INTERVAL_MS = 1_000;
const DOUBT_AFTER_MS = 400;
/** A peer that is silent for longer is down. */
export const DOWN_AFTER_MS = 3_000;
const ANSWERS_TO_RETURN = 2;
/** An answer that takes longer counts as none. */
const LOST_AFTER_MS = 3_000;
const WINDOW = 60;
/** A pause of this process: until it has read what came meanwhile, nobody's silence means anything. */
const PAUSE_MS = 1_000;
/** A large packet takes no longer than a small one, but for its time on the wire. */
const LARGE_SLACK_MS = 300;

export type ProbeOrder = {
  peer: number;
  nonce: string;
  /** Of the IP packet; undefined: as small as it is. */
  packetBytes: number | undefined;
};

export type PeerView = {
  number: number;
  state: PeerState;
  rttP50Micros: number | null;
  rttLastMicros: number | null;
  /** Of the last sixty ordinary probes whose fate is known. */
  lossPerMille: number;
  pathMtuBytes: number | null;
  /** What goes to its port of VXLAN; absent when that is not asked. */
  envelope?: PeerState;
};

type Outstanding = { sentAtMs: number; packetBytes: number | undefined };

type Peer = {
  state: PeerState;
  /** Since when it is silent, or known. */
  heardAtMs: number;
  nextAtMs: number;
  answersInRow: number;
  outstanding: Map<string, Outstanding>;
  /** Round trips in microseconds; null is a lost probe. */
  window: (number | null)[];
  /** Median of the window. */
  medianMicros: number | null;
  lastMicros: number | null;
  mtu: PathMtuSearch;
};

export type PeerWatchOptions = {
  /** 16 hexadecimal digits that nobody can guess. */
  makeNonce: () => string;
};

/** Times are of a clock that never goes back, in milliseconds with fractions. */
export class PeerWatch {
  readonly #makeNonce: () => string;
  readonly #peers = new Map<number, Peer>();
  #linkMtuBytes = 0;
  #tickedAtMs: number | undefined;

  constructor(options: PeerWatchOptions) {
    this.#makeNonce = options.makeNonce;
  }

  /** Who the peers are now. What is known of those who stay is kept, unless this host's link is another. */
  setPeers(numbers: readonly number[], given: { linkMtuBytes: number; nowMs: number }): void {
    const isSameLink = given.linkMtuBytes === this.#linkMtuBytes;
    this.#linkMtuBytes = given.linkMtuBytes;
    const wanted = new Set(numbers);
    for (const number of this.#peers.keys()) if (!wanted.has(number)) this.#peers.delete(number);
    [...wanted].forEach((number, index) => {
      const present = this.#peers.get(number);
      if (present === undefined) {
        // Spread over a second, so that many peers are not one burst.
        const nextAtMs = given.nowMs + Math.floor((index * INTERVAL_MS) / wanted.size);
        this.#peers.set(number, makePeer({ heardAtMs: nextAtMs, nextAtMs, linkMtuBytes: given.linkMtuBytes }));
      } else if (!isSameLink) present.mtu = new PathMtuSearch(given.linkMtuBytes);
    });
  }

  /** Forgets what was learned of a peer: it has another address. */
  forget(number: number): void {
    this.#peers.delete(number);
  }

  /** What to send now; what is over is judged. */
  due(nowMs: number): ProbeOrder[] {
    const pausedMs = nowMs - (this.#tickedAtMs ?? nowMs);
    this.#tickedAtMs = nowMs;
    if (pausedMs > PAUSE_MS) for (const peer of this.#peers.values()) skip(peer, pausedMs);
    return [...this.#peers].flatMap(([number, peer]) => {
      expire(peer, nowMs);
      judge(peer, nowMs);
      return this.#ask(number, peer, nowMs);
    });
  }

  /** An answer has come. @returns whether it is one to a question of ours that nobody has answered yet. */
  answered(number: number, nonce: string, nowMs: number): boolean {
    const peer = this.#peers.get(number);
    const asked = peer?.outstanding.get(nonce);
    if (peer === undefined || asked === undefined) return false;
    peer.outstanding.delete(nonce);
    peer.heardAtMs = nowMs;
    if (asked.packetBytes !== undefined) {
      peer.mtu.passed(asked.packetBytes, nowMs);
      return true;
    }
    const micros = Math.max(1, Math.round((nowMs - asked.sentAtMs) * 1_000));
    peer.lastMicros = micros;
    note(peer, micros);
    peer.answersInRow += 1;
    if (peer.state === "down" && peer.answersInRow >= ANSWERS_TO_RETURN) beginAnew(peer);
    if (peer.state === "unknown") peer.state = "up";
    else if (peer.state === "down") peer.nextAtMs = nowMs;
    return true;
  }

  /** This host could not send a probe: its own link refused the size. */
  tooLarge(number: number, nonce: string, nowMs: number): void {
    const peer = this.#peers.get(number);
    const asked = peer?.outstanding.get(nonce);
    if (peer === undefined || asked?.packetBytes === undefined) return;
    peer.outstanding.delete(nonce);
    peer.mtu.failed(asked.packetBytes, { nowMs, isFinal: true });
  }

  /** By number. */
  views(): PeerView[] {
    return [...this.#peers]
      .map(([number, { state, window, medianMicros, lastMicros, mtu }]) => ({
        number,
        state,
        rttP50Micros: medianMicros,
        rttLastMicros: lastMicros,
        lossPerMille: loss(window),
        pathMtuBytes: mtu.foundBytes ?? null,
      }))
      .toSorted((a, b) => a.number - b.number);
  }

  /** Numbers of the hosts that this one does not reach. */
  unreachable(): ReadonlySet<number> {
    return new Set([...this.#peers].filter(([, peer]) => peer.state === "down").map(([number]) => number));
  }

  #ask(number: number, peer: Peer, nowMs: number): ProbeOrder[] {
    const orders: ProbeOrder[] = [];
    if (nowMs >= peer.nextAtMs) {
      orders.push(this.#order(number, peer, { nowMs, packetBytes: undefined }));
      peer.nextAtMs = Math.max(peer.nextAtMs + INTERVAL_MS, nowMs + INTERVAL_MS / 2);
    } else if (isInDoubt(peer, nowMs)) orders.push(this.#order(number, peer, { nowMs, packetBytes: undefined }));
    const isTrying = [...peer.outstanding.values()].some(({ packetBytes }) => packetBytes !== undefined);
    if (peer.state !== "up" || isTrying || isInDoubt(peer, nowMs)) return orders;
    const packetBytes = peer.mtu.due(nowMs);
    if (packetBytes !== undefined) orders.push(this.#order(number, peer, { nowMs, packetBytes }));
    return orders;
  }

  #order(number: number, peer: Peer, given: { nowMs: number; packetBytes: number | undefined }): ProbeOrder {
    const nonce = this.#makeNonce();
    peer.outstanding.set(nonce, { sentAtMs: given.nowMs, packetBytes: given.packetBytes });
    return { peer: number, nonce, packetBytes: given.packetBytes };
  }
}

function makePeer(given: { heardAtMs: number; nextAtMs: number; linkMtuBytes: number }): Peer {
  const { heardAtMs, nextAtMs, linkMtuBytes } = given;
  return {
    state: "unknown",
    heardAtMs,
    nextAtMs,
    answersInRow: 0,
    outstanding: new Map(),
    window: [],
    medianMicros: null,
    lastMicros: null,
    mtu: new PathMtuSearch(linkMtuBytes),
  };
}

/** What was lost while it was away was told as that, and is no loss of the path that is there again. */
function beginAnew(peer: Peer): void {
  peer.state = "up";
  peer.window = peer.window.filter((result) => result !== null).slice(-ANSWERS_TO_RETURN);
  peer.medianMicros = median(peer.window);
  for (const [nonce, { packetBytes }] of peer.outstanding) if (packetBytes === undefined) peer.outstanding.delete(nonce);
}

/** Moves what waits for an answer behind a pause; the questions themselves say nothing any more. */
function skip(peer: Peer, pausedMs: number): void {
  peer.heardAtMs += pausedMs;
  for (const asked of peer.outstanding.values()) asked.sentAtMs += pausedMs;
}

function expire(peer: Peer, nowMs: number): void {
  const largeLimitMs = LARGE_SLACK_MS + (3 * (peer.medianMicros ?? 0)) / 1_000;
  for (const [nonce, { sentAtMs, packetBytes }] of peer.outstanding) {
    const limitMs = packetBytes === undefined ? LOST_AFTER_MS : Math.min(LOST_AFTER_MS, largeLimitMs);
    if (nowMs - sentAtMs <= limitMs) continue;
    peer.outstanding.delete(nonce);
    if (packetBytes === undefined) {
      note(peer, null);
      peer.answersInRow = 0;
    } else if (isInDoubt(peer, nowMs)) peer.mtu.interrupt();
    else peer.mtu.failed(packetBytes, { nowMs, isFinal: false });
  }
}

function judge(peer: Peer, nowMs: number): void {
  if (peer.state === "down" || nowMs - peer.heardAtMs <= DOWN_AFTER_MS) return;
  peer.state = "down";
  peer.answersInRow = 0;
  peer.mtu.interrupt();
}

/** A question is unanswered for longer than answers take; a peer that is down is in no doubt. */
function isInDoubt(peer: Peer, nowMs: number): boolean {
  if (peer.state === "down") return false;
  const limitMs = Math.max(DOUBT_AFTER_MS, (3 * (peer.medianMicros ?? 0)) / 1_000);
  return [...peer.outstanding.values()].some(
    ({ sentAtMs, packetBytes }) => packetBytes === undefined && sentAtMs >= peer.heardAtMs && nowMs - sentAtMs > limitMs,
  );
}

function note(peer: Peer, result: number | null): void {
  peer.window.push(result);
  if (peer.window.length > WINDOW) peer.window.shift();
  peer.medianMicros = median(peer.window);
}

function median(window: readonly (number | null)[]): number | null {
  const trips = window.filter((each) => each !== null).toSorted((a, b) => a - b);
  return trips[Math.floor((trips.length - 1) / 2)] ?? null;
}

function loss(window: readonly (number | null)[]): number {
  const lost = window.filter((each) => each === null).length;
  return window.length === 0 ? 0 : Math.round((1_000 * lost) / window.length);
}
