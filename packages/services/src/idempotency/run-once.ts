import { createHash } from "node:crypto";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { openText, sealText } from "../access/secrets.ts";
import type { ServiceContext } from "../context.ts";

const LIFETIME_MS = 24 * 3_600_000;
/** An answer that says "not now" or "not you" is not the answer for a day. */
const NOT_KEPT: ReadonlySet<number> = new Set([401, 403, 409, 429]);

export type OnceRequest = { key: string; method: string; address: string; body: string };
export type OnceAnswer = { status: number; body?: unknown };
/** `running`: the first call with this key has not ended, or the control plane ended meanwhile and nobody knows. `other`: the key was used for another call. */
export type OnceResult<T> = { kind: "answer"; answer: T; isReplayed: boolean } | { kind: "running" } | { kind: "other" };

const storedAnswer = z.object({ status: z.int(), body: z.unknown().optional() });

/**
 * Does a call once for each key of a caller, within 24 hours: the same call again gets the same answer. Of calls at once one is
 * done. What failed for a reason that may pass (5xx, 401, 403, 409, 429) is forgotten, so that it can be tried again.
 */
export async function runOnce<T extends OnceAnswer>(
  services: ServiceContext,
  actor: Actor,
  { request, work }: { request: OnceRequest; work: () => Promise<T> },
): Promise<OnceResult<T | OnceAnswer>> {
  if (actor.kind !== "user") return { kind: "answer", answer: await work(), isReplayed: false };
  const id = hashOf([actor.userId, actor.team.id, request.key]);
  const fingerprint = hashOf([request.method, request.address, request.body]);
  const known = await claim(services, id, fingerprint);
  if (known !== undefined) return known;
  let answer: T;
  try {
    answer = await work();
  } catch (error) {
    await forget(services, id);
    throw error;
  }
  if (answer.status >= 500 || NOT_KEPT.has(answer.status)) await forget(services, id);
  else await keep(services, id, answer);
  return { kind: "answer", answer, isReplayed: false };
}

/** undefined: the key is ours now. */
async function claim(services: ServiceContext, id: string, fingerprint: string): Promise<OnceResult<OnceAnswer> | undefined> {
  const { prisma } = services;
  const now = services.nowMs();
  await prisma.idempotencyKey.deleteMany({ where: { expiresAt: { lte: new Date(now) } } });
  const data = [{ id, fingerprint, expiresAt: new Date(now + LIFETIME_MS) }];
  const { count } = await prisma.idempotencyKey.createMany({ data, skipDuplicates: true });
  if (count === 1) return undefined;
  const row = await prisma.idempotencyKey.findUnique({ where: { id } });
  if (row !== null && row.fingerprint !== fingerprint) return { kind: "other" };
  if (row === null || row.answer === null) return { kind: "running" };
  const answer = storedAnswer.parse(JSON.parse(openText(services.registry.sealKey, row.answer, contextOf(id))));
  return { kind: "answer", answer, isReplayed: true };
}

async function keep(services: ServiceContext, id: string, { status, body }: OnceAnswer): Promise<void> {
  const answer = sealText(services.registry.sealKey, JSON.stringify({ status, body }), contextOf(id));
  await services.prisma.idempotencyKey.updateMany({ where: { id }, data: { answer } });
}

async function forget(services: ServiceContext, id: string): Promise<void> {
  await services.prisma.idempotencyKey.deleteMany({ where: { id, answer: null } });
}

function contextOf(id: string): string {
  return `idempotency ${id}`;
}

/** Parts are told apart whatever they hold. */
function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
