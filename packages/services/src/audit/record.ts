import { toFlotillaError } from "@flotilla/core";
import type { Prisma, PrismaClient, Transaction } from "@flotilla/db";
import type { Action } from "../access/actions.ts";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";
import type { AuditChanges } from "./difference.ts";

/** Facts of an audit row: ids, names, counts. Never a secret, a password, a token or a request body. */
export type AuditDetail = Readonly<Record<string, string | number | boolean | null>>;

export type AuditEntry = {
  actor: Actor;
  /** An action of the authorizer, or an event of the control plane itself such as `host.join`. */
  action: Action | `session.${string}` | `host.${string}` | `instance.${string}`;
  object: ObjectRef;
  outcome: "ok" | "refused" | "failed" | "started";
  detail?: AuditDetail;
  /** What became different, from `difference()`. */
  changes?: AuditChanges;
};

const MAX_TEXT = 500;

/** Writes one audit row. Inside a transaction the change and its row stand or fall together. Returns the row's id. */
export async function recordAudit(db: PrismaClient | Transaction, entry: AuditEntry): Promise<string> {
  const row = await db.auditRow.create({ data: toRow(entry), select: { id: true } });
  return row.id;
}

/**
 * Runs something that has no database transaction (a call of an engine) under audit: the row is written first, so what
 * cannot be audited is not done, and gets its outcome afterwards. A row left at `started` means: the control plane ended meanwhile.
 */
export async function audited<T>(services: ServiceContext, entry: Omit<AuditEntry, "outcome">, work: () => Promise<T>): Promise<T> {
  const id = await recordAudit(services.prisma, { ...entry, outcome: "started" });
  try {
    const result = await work();
    await finishAudit(services, id, { outcome: "ok", detail: entry.detail ?? {} });
    return result;
  } catch (error) {
    await finishAudit(services, id, { outcome: "failed", detail: { ...entry.detail, error: clean(toFlotillaError(error).message) } });
    throw error;
  }
}

/** Gives a `started` row its outcome. It may fail without undoing the act: the row then stays at `started`. */
export async function finishAudit(
  services: ServiceContext,
  id: string,
  end: { outcome: "ok" | "failed"; detail: AuditDetail },
): Promise<void> {
  try {
    await services.prisma.auditRow.update({ where: { id }, data: { outcome: end.outcome, detail: cleanDetail(end.detail) } });
  } catch (error) {
    services.logger.error("audit row could not be finished", { auditId: id, error: toFlotillaError(error).message });
  }
}

function toRow(entry: AuditEntry): Prisma.AuditRowUncheckedCreateInput {
  const { actor, object } = entry;
  return {
    teamId: object.teamId ?? teamOf(actor),
    actorKind: actor.kind === "user" && actor.credential.kind === "token" ? "token" : actor.kind,
    actorId: idOf(actor),
    actorName: clean(nameOf(actor)),
    action: entry.action,
    objectKind: object.kind,
    objectId: clean(object.id),
    objectName: clean(object.name),
    outcome: entry.outcome,
    address: actor.address,
    detail: { ...cleanDetail(entry.detail ?? {}), ...cleanChanges(entry.changes) },
  };
}

function teamOf(actor: Actor): string | null {
  if (actor.kind === "user") return actor.team.id;
  return actor.kind === "host" ? actor.teamId : null;
}

function idOf(actor: Actor): string | null {
  if (actor.kind === "user") return actor.userId;
  return actor.kind === "host" ? actor.hostId : null;
}

function nameOf(actor: Actor): string {
  if (actor.kind === "user") return actor.email;
  return actor.kind === "anonymous" ? "anonymous" : actor.name;
}

function cleanChanges(changes: AuditChanges | undefined): { changes?: Record<string, AuditChanges[string]> } {
  if (changes === undefined || Object.keys(changes).length === 0) return {};
  const cleaned = Object.entries(changes).map(([name, { from, to }]) => {
    return [name, { from: typeof from === "string" ? clean(from) : from, to: typeof to === "string" ? clean(to) : to }] as const;
  });
  return { changes: Object.fromEntries(cleaned) };
}

function cleanDetail(detail: AuditDetail): Record<string, string | number | boolean | null> {
  return Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, typeof value === "string" ? clean(value) : value]));
}

/** Control characters would forge lines and terminal sequences where rows are printed; NUL is refused by Postgres. */
export function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "\ufffd").slice(0, MAX_TEXT);
}
