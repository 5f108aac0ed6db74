import { FlotillaError } from "@flotilla/core";
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
  /** What became different, field by field. */
  changes: { field: string; from: string | number | boolean | null; to: string | number | boolean | null }[];
};

const outcome = z.enum(["ok", "refused", "failed", "started"]);
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const storedDetail = z.object({ changes: z.record(z.string(), z.object({ from: value, to: value })).optional() }).catchall(value);

/** Which rows: every field narrows. `search` looks at all texts of a row, the others at one. */
export const auditFilter = z.object({
  search: z.string().max(200).optional(),
  actor: z.string().max(254).optional(),
  /** An action, or all of a noun: `container.remove`, `container`. */
  action: z
    .string()
    .max(64)
    .regex(/^[A-Za-z]*(\.[A-Za-z]*)?$/, "must be an action such as container.remove")
    .optional(),
  objectKind: z.string().max(32).optional(),
  object: z.string().max(255).optional(),
  outcome: outcome.optional(),
  /** `instance`: of all teams. */
  scope: z.enum(["team", "instance"]).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});
export type AuditFilter = z.output<typeof auditFilter>;

/** Audit rows of the caller's team, newest first. The cursor is the id of the last row of the page before. */
export async function listActivity(
  services: ServiceContext,
  actor: Actor,
  { cursor, limit, ...filter }: AuditFilter & { cursor?: string | undefined; limit: number },
): Promise<{ items: ActivityRow[]; nextCursor: string | null }> {
  const before: Prisma.AuditRowWhereInput = cursor === undefined ? {} : { id: { lt: cursor } };
  const rows = await services.prisma.auditRow.findMany({
    where: { AND: [rowsVisibleTo(actor, filter.scope), before, ...matching(filter)] },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const page = rows.slice(0, limit);
  return { items: page.map(toActivityRow), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}

/**
 * Rows of the caller's team. What belongs to no team (refused agents, sign-ins of unknown people) and, when it is asked for, what
 * belongs to all others, is for who looks after the instance. @throws forbidden
 */
export function rowsVisibleTo(actor: Actor, scope: AuditFilter["scope"]): Prisma.AuditRowWhereInput {
  const { team, isInstanceAdmin } = requireUser(actor);
  if (scope !== "instance") return isInstanceAdmin ? { OR: [{ teamId: team.id }, { teamId: null }] } : { teamId: team.id };
  if (!isInstanceAdmin) throw new FlotillaError("forbidden", "the audit of all teams is for administrators of the instance");
  return {};
}

/** Conditions that a row must all meet. */
export function matching(filter: AuditFilter): Prisma.AuditRowWhereInput[] {
  const { action, objectKind, outcome: wanted, from, to } = filter;
  const object = trimmed(filter.object);
  const who = trimmed(filter.actor);
  const noun = trimmed(action);
  return [
    bySearch(trimmed(filter.search)),
    who === undefined ? {} : { OR: [{ actorName: containing(who) }, { actorId: who }] },
    noun === undefined ? {} : noun.includes(".") ? { action: noun } : { action: { startsWith: `${noun}.` } },
    objectKind === undefined ? {} : { objectKind },
    object === undefined ? {} : { OR: [{ objectName: containing(object) }, { objectId: { startsWith: object } }] },
    wanted === undefined ? {} : { outcome: wanted },
    { time: { ...(from === undefined ? {} : { gte: new Date(from) }), ...(to === undefined ? {} : { lt: new Date(to) }) } },
  ];
}

function bySearch(text: string | undefined): Prisma.AuditRowWhereInput {
  if (text === undefined) return {};
  const contains = containing(text);
  return { OR: [{ actorName: contains }, { action: contains }, { objectName: contains }, { objectId: { startsWith: text } }] };
}

function containing(text: string): { contains: string; mode: "insensitive" } {
  return { contains: text, mode: Prisma.QueryMode.insensitive };
}

function trimmed(text: string | undefined): string | undefined {
  const kept = text?.trim();
  return kept === "" ? undefined : kept;
}

export function toActivityRow(row: AuditRow): ActivityRow {
  const stored = storedDetail.safeParse(row.detail);
  const { changes = {}, ...detail } = stored.success ? stored.data : {};
  return {
    id: row.id,
    time: row.time.toISOString(),
    actor: { kind: row.actorKind, name: row.actorName },
    action: row.action,
    object: { kind: row.objectKind, id: row.objectId, name: row.objectName },
    outcome: outcome.parse(row.outcome),
    address: row.address,
    detail,
    changes: Object.entries(changes).map(([field, { from, to }]) => ({ field, from, to })),
  };
}
