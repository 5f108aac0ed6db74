import { createHash } from "node:crypto";

/** A seal as the database holds it, with what the database says of the row that it seals. */
export type SealRow = {
  seq: bigint;
  rowId: string;
  content: string;
  previous: string;
  hash: string;
  /** The row as it is now, as the same canonical text; null when there is none. */
  current: string | null;
  /** Whether a later seal is of the same row: then outcome and detail may differ by now. */
  isSuperseded: boolean;
};

/** Where a chain is while it is walked. */
export type ChainPosition = { seq: bigint; hash: string };

export const CHAIN_START: ChainPosition = { seq: 0n, hash: "0".repeat(64) };

export const CHAIN_FAULTS = ["gap", "chain", "hash", "missing", "changed", "unsealed", "head"] as const;
/**
 * Why a row breaks the chain: a number is left out, it does not follow the one before, its hash is not that of its text, its
 * row is gone, its row says something else, a row has no seal, the chain does not hold the head that was noted elsewhere.
 */
export type ChainFault = { seq: string; rowId: string; reason: (typeof CHAIN_FAULTS)[number] };

/** The hash of a seal: SHA-256 over the hash before, a line feed, and the canonical text. */
export function sealHash(previous: string, content: string): string {
  return createHash("sha256").update(`${previous}\n${content}`, "utf8").digest("hex");
}

/** Walks seals that follow `from`. Returns where it got to, and the first fault if there is one. */
export function checkSeals(from: ChainPosition, seals: readonly SealRow[]): { position: ChainPosition; fault: ChainFault | null } {
  let position = from;
  for (const seal of seals) {
    const reason = faultOf(position, seal);
    if (reason !== null) return { position, fault: { seq: seal.seq.toString(), rowId: seal.rowId, reason } };
    position = { seq: seal.seq, hash: seal.hash };
  }
  return { position, fault: null };
}

function faultOf(position: ChainPosition, seal: SealRow): ChainFault["reason"] | null {
  if (seal.seq !== position.seq + 1n) return "gap";
  if (seal.previous !== position.hash) return "chain";
  if (seal.hash !== sealHash(seal.previous, seal.content)) return "hash";
  if (seal.current === null) return "missing";
  if (seal.isSuperseded) return isSameAct(seal.content, seal.current) ? null : "changed";
  return seal.content === seal.current ? null : "changed";
}

/** Whether two texts of a row tell of the same act: all but how it ended. */
function isSameAct(a: string, b: string): boolean {
  return actOf(a) === actOf(b);
}

function actOf(content: string): string {
  const { outcome: _outcome, detail: _detail, ...act } = JSON.parse(content) as Record<string, unknown>;
  return JSON.stringify(Object.entries(act).sort(([a], [b]) => (a < b ? -1 : 1)));
}
