// Who is left out before it is known to be down. Three seconds of silence make a host down, and in them every third call of a service
// of three hosts would wait for one whose power is gone. So where there are few peers each is asked with every tick as well, and one
// that leaves two questions in a row unanswered is *suspected*: new connections go elsewhere, and nothing else is concluded. It
// costs little to be wrong, and who was suspected wrongly is not again for a while. Pure.
import type { PeerState } from "@flotilla/protocol";

/** With more of them the questions would be a load of their own. */
const MAX_PEERS = 8;
/** An answer that takes longer counts as none, unless answers of that peer take long. */
const LOST_AFTER_MS = 200;
const LOST_TO_SUSPECT = 2;
/** A tick that comes this late: this process was away, and answers may lie unread. */
const LATE_MS = 400;
const CALM_MS = 60_000;

export type Pulsed = { number: number; state: PeerState; rttP50Micros: number | null };
export type PulseOrder = { peer: number; nonce: string };

type Peer = { asked: { nonce: string; atMs: number }[]; lostInRow: number; isSuspect: boolean; calmUntilMs: number };

/** Times are of a clock that never goes back, in milliseconds. */
export class PulseWatch {
  readonly #makeNonce: () => string;
  readonly #peers = new Map<number, Peer>();
  #tickedAtMs: number | undefined;

  /** @param makeNonce 16 hexadecimal digits that nobody can guess. */
  constructor(makeNonce: () => string) {
    this.#makeNonce = makeNonce;
  }

  /** At each tick. @param peers all of them as they are known otherwise. @returns what to send now. */
  due(peers: readonly Pulsed[], nowMs: number): PulseOrder[] {
    const isLate = nowMs - (this.#tickedAtMs ?? nowMs) > LATE_MS;
    this.#tickedAtMs = nowMs;
    const pulsed = peers.length > MAX_PEERS ? [] : peers.filter(({ state }) => state === "up");
    const wanted = new Set(pulsed.map(({ number }) => number));
    for (const number of this.#peers.keys()) if (!wanted.has(number)) this.#peers.delete(number);
    return pulsed.map(({ number, rttP50Micros }) => {
      const peer = this.#peers.get(number) ?? { asked: [], lostInRow: 0, isSuspect: false, calmUntilMs: 0 };
      this.#peers.set(number, peer);
      if (isLate) peer.asked = [];
      judge(peer, Math.max(LOST_AFTER_MS, (3 * (rttP50Micros ?? 0)) / 1_000), nowMs);
      const nonce = this.#makeNonce();
      peer.asked.push({ nonce, atMs: nowMs });
      return { peer: number, nonce };
    });
  }

  /** @returns whether it is an answer to a question of this watch that still waits. */
  answered(number: number, nonce: string, nowMs: number): boolean {
    const peer = this.#peers.get(number);
    const at = peer?.asked.findIndex((each) => each.nonce === nonce) ?? -1;
    if (peer === undefined || at === -1) return false;
    // What was asked before it is of no interest any more.
    peer.asked.splice(0, at + 1);
    peer.lostInRow = 0;
    if (peer.isSuspect) peer.calmUntilMs = nowMs + CALM_MS;
    peer.isSuspect = false;
    return true;
  }

  suspects(): number[] {
    return [...this.#peers].flatMap(([number, { isSuspect }]) => (isSuspect ? [number] : []));
  }
}

function judge(peer: Peer, lostAfterMs: number, nowMs: number): void {
  const lost = peer.asked.filter(({ atMs }) => nowMs - atMs > lostAfterMs);
  peer.asked = peer.asked.filter((each) => !lost.includes(each));
  peer.lostInRow += lost.length;
  if (peer.lostInRow >= LOST_TO_SUSPECT && nowMs >= peer.calmUntilMs) peer.isSuspect = true;
}
