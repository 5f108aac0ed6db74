import { type AuditRow, Prisma } from "@flotilla/db";
import { z } from "zod";
import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";

export type ActivityRow = {
  id: string;
  time: string;
  actor: { kind: string; name: string };
  action: string;
  object: { kind: string; id: string; name: string };
  /** `started`: the act began, and its end is not known (it runs, or the control plane ended meanwhile). */
  outcome: "ok" | "refused" | "failed" | "started";
  address: string | null;
  detail: Record<string, string | number | boolean | null>;
};

const outcome = z.enum(["ok", "refused", "failed", "started"]);
const detail = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** Audit rows of the caller's team, newest first. The cursor is the id of the last row of the page before. */
export async function listActivity(
  services: ServiceContext,
  actor: Actor,
  input: { cursor?: string | undefined; limit: number; search?: string | undefined },
): Promise<{ items: ActivityRow[]; nextCursor: string | null }> {
  const { team, isInstanceAdmin } = requireUser(actor);
  // What belongs to no team (refused agents, sign-ins of unknown people) is for who looks after the instance.
  const visible: Prisma.AuditRowWhereInput = isInstanceAdmin ? { OR: [{ teamId: team.id }, { teamId: null }] } : { teamId: team.id };
  const before: Prisma.AuditRowWhereInput = input.cursor === undefined ? {} : { id: { lt: input.cursor } };
  const rows = await services.prisma.auditRow.findMany({
    where: { AND: [visible, before, matching(input.search)] },
    orderBy: { id: "desc" },
    take: input.limit + 1,
  });
  const page = rows.slice(0, input.limit);
  return { items: page.map(toActivityRow), nextCursor: rows.length > input.limit ? (page.at(-1)?.id ?? null) : null };
}

function matching(search: string | undefined): Prisma.AuditRowWhereInput {
  const text = search?.trim();
  if (text === undefined || text === "") return {};
  const contains = { contains: text, mode: Prisma.QueryMode.insensitive };
  return { OR: [{ actorName: contains }, { action: contains }, { objectName: contains }, { objectId: { startsWith: text } }] };
}

export function toActivityRow(row: AuditRow): ActivityRow {
  const facts = detail.safeParse(row.detail);
  return {
    id: row.id,
    time: row.time.toISOString(),
    actor: { kind: row.actorKind, name: row.actorName },
    action: row.action,
    object: { kind: row.objectKind, id: row.objectId, name: row.objectName },
    outcome: outcome.parse(row.outcome),
    address: row.address,
    detail: facts.success ? facts.data : {},
  };
}
