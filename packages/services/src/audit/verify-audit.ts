import type { ServiceContext } from "../context.ts";
import { CHAIN_START, type ChainFault, type ChainPosition, checkSeals, type SealRow } from "./check-seals.ts";

const PAGE = 2_000;

/** `head` is worth writing down elsewhere: whoever cuts off the end of the chain cannot make it hold that again. */
export type AuditVerification = {
  isWhole: boolean;
  fault: ChainFault | null;
  /** Seals that were looked at, up to the fault. */
  sealCount: number;
  head: { seq: string; hash: string };
  /** Set when older rows were removed by retention: the chain begins after this one. */
  prunedTo: { seq: string; at: string } | null;
};

/**
 * Walks the whole chain of the audit, page by page, and names the first row that breaks it.
 * @param noted a head that was written down earlier: the chain must hold it.
 */
export async function verifyAudit(services: ServiceContext, noted?: { seq: string; hash: string }): Promise<AuditVerification> {
  const { prisma } = services;
  await sealAudit(services);
  const anchor = await prisma.auditAnchor.findFirst();
  let position: ChainPosition = anchor ?? CHAIN_START;
  const first = position.seq;
  let holdsNoted = noted === undefined || isAt(position, noted) || BigInt(noted.seq) < position.seq;
  let fault: ChainFault | null = null;
  while (fault === null) {
    const seals = await readSeals(services, position.seq);
    holdsNoted ||= noted !== undefined && seals.some((seal) => isAt(seal, noted));
    ({ position, fault } = checkSeals(position, seals));
    if (seals.length < PAGE) break;
  }
  fault ??= holdsNoted ? await findUnsealed(services) : { seq: noted?.seq ?? "", rowId: "", reason: "head" };
  return {
    isWhole: fault === null,
    fault,
    sealCount: Number(position.seq - first),
    head: { seq: position.seq.toString(), hash: position.hash },
    prunedTo: anchor === null ? null : { seq: anchor.seq.toString(), at: anchor.prunedAt.toISOString() },
  };
}

function isAt(position: ChainPosition, noted: { seq: string; hash: string }): boolean {
  return position.seq.toString() === noted.seq && position.hash === noted.hash;
}

async function readSeals({ prisma }: ServiceContext, after: bigint): Promise<SealRow[]> {
  return prisma.$queryRaw<SealRow[]>`
    SELECT s."seq", s."row_id" AS "rowId", s."content", s."previous", s."hash",
      CASE WHEN r."id" IS NULL THEN NULL ELSE audit_content(r) END AS "current",
      EXISTS (SELECT 1 FROM "audit_seals" later WHERE later."row_id" = s."row_id" AND later."seq" > s."seq") AS "isSuperseded"
    FROM "audit_seals" s LEFT JOIN "audit_rows" r ON r."id" = s."row_id"
    WHERE s."seq" > ${after} ORDER BY s."seq" LIMIT ${PAGE}`;
}

/** A row that was put in around the trigger has no seal. (A row and its seal are committed together, so one snapshot has both.) */
async function findUnsealed({ prisma }: ServiceContext): Promise<ChainFault | null> {
  const [found] = await prisma.$queryRaw<{ id: string }[]>`
    SELECT r."id" FROM "audit_rows" r
    WHERE NOT EXISTS (SELECT 1 FROM "audit_seals" s WHERE s."row_id" = r."id")
      AND NOT EXISTS (SELECT 1 FROM "audit_pending" p WHERE p."row_id" = r."id") ORDER BY r."id" LIMIT 1`;
  return found === undefined ? null : { seq: "", rowId: found.id, reason: "unsealed" };
}

/** Seals rows that wait for it: those of transactions that saw a fixed snapshot. */
export async function sealAudit({ prisma }: ServiceContext): Promise<void> {
  const [waiting] = await prisma.auditPending.findMany({ take: 1, select: { id: true } });
  if (waiting !== undefined) await prisma.$executeRaw`SELECT audit_seal()`;
}
