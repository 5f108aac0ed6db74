// Whether a host counts as there: from what the control plane hears of it and from what its peers do. Pure. Whoever moves
// containers away from a host goes by this and nothing else (docs/design/mesh.md).

/** Nothing heard for longer than two heartbeats: the peers are asked. */
export const UNHEARD_AFTER_MS = 10_000;
/** With no peers, or peers that disagree, a host that is not heard for longer is down. */
export const DOWN_AFTER_MS = 60_000;
/** A host whose peers reach it but which the control plane does not is left alone for so long; then nobody knows what runs there. */
export const CUT_OFF_LIMIT_MS = 600_000;

/** `cut-off`: the control plane does not hear it, and that alone makes it nothing. */
export type HostStanding = "up" | "cut-off" | "down";

export type HostEvidence = {
  /** Since when nothing was heard by any control plane. */
  silentMs: number;
  /** What was heard is known from the database, where others write it so much later. 0: this control plane heard it itself. */
  uncertaintyMs: number;
  /** Of the peers that are heard themselves, and have probed it: whether each reaches it. */
  peers: readonly boolean[];
};

export function judgeHost({ silentMs, uncertaintyMs, peers }: HostEvidence): HostStanding {
  if (silentMs <= UNHEARD_AFTER_MS + uncertaintyMs) return "up";
  const reached = peers.filter((reaches) => reaches).length;
  const missed = peers.length - reached;
  if (missed > reached) return "down";
  return silentMs > (reached > missed ? CUT_OFF_LIMIT_MS : DOWN_AFTER_MS) ? "down" : "cut-off";
}
