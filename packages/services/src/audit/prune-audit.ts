import { SYSTEM } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { recordAudit } from "./record.ts";

const DAY_MS = 86_400_000;

/**
 * Removes rows that are older than `days`, from the beginning of the chain on; the chain then begins at an anchor. What was
 * removed is itself audited, in the same transaction. Returns how many rows went.
 */
export async function pruneAudit(services: ServiceContext, days: number): Promise<number> {
  const before = new Date(services.nowMs() - days * DAY_MS);
  return services.prisma.$transaction(async (tx) => {
    const [{ removed } = { removed: 0n }] = await tx.$queryRaw<{ removed: bigint }[]>`SELECT audit_prune(${before}) AS removed`;
    if (removed === 0n) return 0;
    const object = { kind: "instance" as const, id: "instance", name: "audit", teamId: null };
    const detail = { removed: Number(removed), before: before.toISOString() };
    await recordAudit(tx, { actor: SYSTEM, action: "instance.pruneAudit", object, outcome: "ok", detail });
    return Number(removed);
  });
}
