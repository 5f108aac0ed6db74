import { authorize, requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { type AuditFilter, matching, rowsVisibleTo } from "./list-activity.ts";
import { recordAudit } from "./record.ts";
import { sealAudit } from "./verify-audit.ts";

const PAGE = 500;

/**
 * The audit as JSON lines in the order of the chain, a page of the database at a time:
 * `{"seq":5,"previous":"…","hash":"…","record":{…}}`. `record` is the canonical text itself, so that
 * SHA-256 of `previous`, a line feed and the bytes of `record` is `hash`. A row that was written before its act has two lines.
 * That somebody exports is itself audited, before the first line.
 */
export async function* exportAudit(services: ServiceContext, actor: Actor, filter: AuditFilter): AsyncGenerator<string> {
  const { team } = requireUser(actor);
  const object = { kind: "team" as const, id: team.id, name: team.name, teamId: team.id };
  await authorize(services, actor, { action: "activity.export", object });
  const where = { AND: [rowsVisibleTo(actor, filter.scope), ...matching(filter)] };
  await recordAudit(services.prisma, { actor, action: "activity.export", object, outcome: "ok" });
  await sealAudit(services);
  let after = 0n;
  for (;;) {
    const seals = await services.prisma.auditSeal.findMany({ where: { seq: { gt: after } }, orderBy: { seq: "asc" }, take: PAGE });
    const ids = [...new Set(seals.map((seal) => seal.rowId))];
    const wanted = await services.prisma.auditRow.findMany({ where: { AND: [{ id: { in: ids } }, where] }, select: { id: true } });
    const kept = new Set(wanted.map((row) => row.id));
    const lines = seals.filter((seal) => kept.has(seal.rowId)).map(toLine);
    if (lines.length > 0) yield lines.join("");
    const last = seals.at(-1);
    if (last === undefined || seals.length < PAGE) return;
    after = last.seq;
  }
}

function toLine({ seq, previous, hash, content }: { seq: bigint; previous: string; hash: string; content: string }): string {
  return `{"seq":${seq},"previous":"${previous}","hash":"${hash}","record":${content}}\n`;
}
