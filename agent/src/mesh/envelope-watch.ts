// Whether what goes to a peer's port of VXLAN arrives: a firewall may keep away that port alone, with which all networks are cut
// while the hosts reach each other. Questions go to that port once a second, their answers come the ordinary way. Pure.
import type { PeerState } from "@flotilla/protocol";

const INTERVAL_MS = 1_000;
/** A question that waits longer has no answer. */
const LOST_AFTER_MS = 1_000;
/** So many in a row: a path that loses a third of its packets is not taken for a shut one. */
const LOST_TO_SHUT = 5;
/** A pause of this process: nobody's silence means anything. */
const PAUSE_MS = 1_000;

type Peer = { state: PeerState; nextAtMs: number; asked: { nonce: string; atMs: number } | undefined; lostInRow: number };

export type EnvelopeOrder = { peer: number; nonce: string };

/** Times are of a clock that never goes back, in milliseconds. */
export class EnvelopeWatch {
  readonly #makeNonce: () => string;
  readonly #peers = new Map<number, Peer>();
  #tickedAtMs: number | undefined;

  /** @param makeNonce 16 hexadecimal digits that nobody can guess. */
  constructor(makeNonce: () => string) {
    this.#makeNonce = makeNonce;
  }

  /** @param reached peers that answer otherwise and can be asked here: of the others nothing can be said. @returns what to send now. */
  due(reached: readonly number[], nowMs: number): EnvelopeOrder[] {
    const isPaused = nowMs - (this.#tickedAtMs ?? nowMs) > PAUSE_MS;
    this.#tickedAtMs = nowMs;
    const wanted = new Set(reached);
    for (const number of this.#peers.keys()) if (!wanted.has(number)) this.#peers.delete(number);
    return reached.flatMap((number) => {
      const peer = this.#peers.get(number) ?? { state: "unknown", nextAtMs: nowMs, asked: undefined, lostInRow: 0 };
      this.#peers.set(number, peer);
      if (isPaused) peer.asked = undefined;
      judge(peer, nowMs);
      if (nowMs < peer.nextAtMs || peer.asked !== undefined) return [];
      peer.nextAtMs = nowMs + INTERVAL_MS;
      peer.asked = { nonce: this.#makeNonce(), atMs: nowMs };
      return [{ peer: number, nonce: peer.asked.nonce }];
    });
  }

  /** @returns whether it is an answer to a question of this watch. */
  answered(number: number, nonce: string): boolean {
    const peer = this.#peers.get(number);
    if (peer?.asked?.nonce !== nonce) return false;
    Object.assign(peer, { state: "up", asked: undefined, lostInRow: 0 });
    return true;
  }

  /** undefined for a peer that is not asked. */
  state(number: number): PeerState | undefined {
    return this.#peers.get(number)?.state;
  }
}

function judge(peer: Peer, nowMs: number): void {
  if (peer.asked === undefined || nowMs - peer.asked.atMs <= LOST_AFTER_MS) return;
  peer.asked = undefined;
  peer.lostInRow += 1;
  if (peer.lostInRow >= LOST_TO_SHUT) peer.state = "down";
}
