import type { RegistryRepository } from "@flotilla/db";
import type { Actor } from "../access/actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { lockRepository, requireRepository } from "./find-repository.ts";
import { planRetention, type RetentionPolicy, retentionPolicy } from "./retention-policy.ts";

const DAY_MS = 86_400_000;
const NO_POLICY: RetentionPolicy = { rules: [], untaggedAfterDays: null };

export type RetentionPlan = {
  tags: { name: string; digest: string; pushedAt: string }[];
  /** Manifests that have no tag (once those above are gone) and are old enough. */
  manifests: { digest: string; size: number; pushedAt: string }[];
};

/** The policy of a row; what cannot be read removes nothing. */
export function policyOf(repository: { retention: unknown }): RetentionPolicy {
  return retentionPolicy.safeParse(repository.retention).data ?? NO_POLICY;
}

/** What would go, by the stored policy or by one that is being edited. */
export async function previewRetention(
  services: ServiceContext,
  input: { repository: string; policy?: RetentionPolicy | undefined },
): Promise<RetentionPlan> {
  const repository = await requireRepository(services, input.repository);
  return plan(services, repository, input.policy ?? policyOf(repository));
}

async function plan(
  db: Pick<ServiceContext, "prisma" | "nowMs">,
  repository: RegistryRepository,
  policy: RetentionPolicy,
): Promise<RetentionPlan> {
  const nowMs = db.nowMs();
  const tags = await db.prisma.registryTag.findMany({
    where: { repositoryId: repository.id },
    include: { manifest: { select: { digest: true } } },
  });
  const doomed = planRetention(
    tags.map((tag) => ({ name: tag.name, pushedAtMs: tag.pushedAt.getTime() })),
    policy,
    { nowMs, immutableTags: repository.immutableTags },
  );
  const byName = new Map(tags.map((tag) => [tag.name, tag]));
  const planned = doomed.flatMap((name) => {
    const tag = byName.get(name);
    return tag === undefined ? [] : [{ name, digest: tag.manifest.digest, pushedAt: tag.pushedAt.toISOString() }];
  });
  return { tags: planned, manifests: await untagged(db, { repository, policy, doomed, nowMs }) };
}

type UntaggedQuery = { repository: RegistryRepository; policy: RetentionPolicy; doomed: readonly string[]; nowMs: number };

/** Manifests without a tag, an index or a subject above them. What refers to an image (a signature) lives as long as it. */
async function untagged(
  db: Pick<ServiceContext, "prisma">,
  { repository, policy, doomed, nowMs }: UntaggedQuery,
): Promise<RetentionPlan["manifests"]> {
  if (policy.untaggedAfterDays === null) return [];
  const before = new Date(nowMs - policy.untaggedAfterDays * DAY_MS);
  const candidates = await db.prisma.registryManifest.findMany({
    where: {
      repositoryId: repository.id,
      pushedAt: { lt: before },
      parents: { none: {} },
      tags: { none: { name: { notIn: [...doomed] } } },
    },
    select: { digest: true, size: true, contentSize: true, pushedAt: true, subject: true },
    orderBy: { pushedAt: "asc" },
  });
  const subjects = candidates.flatMap((row) => (row.subject === null ? [] : [row.subject]));
  const present = await db.prisma.registryManifest.findMany({
    where: { repositoryId: repository.id, digest: { in: subjects } },
    select: { digest: true },
  });
  const alive = new Set(present.map((row) => row.digest));
  return candidates
    .filter((row) => row.subject === null || !alive.has(row.subject))
    .map((row) => ({ digest: row.digest, size: row.size + Number(row.contentSize), pushedAt: row.pushedAt.toISOString() }));
}

/** Removes what the stored policy says, in one transaction with its audit row. Blobs go with the next clean-up. */
export async function applyRetention(services: ServiceContext, actor: Actor, path: string): Promise<{ tags: number; manifests: number }> {
  const { id } = await requireRepository(services, path);
  return services.prisma.$transaction(
    async (tx) => {
      const repository = await lockRepository(tx, id);
      const todo = await plan({ prisma: tx as ServiceContext["prisma"], nowMs: services.nowMs }, repository, policyOf(repository));
      if (todo.tags.length === 0 && todo.manifests.length === 0) return { tags: 0, manifests: 0 };
      await tx.registryTag.deleteMany({ where: { repositoryId: id, name: { in: todo.tags.map((tag) => tag.name) } } });
      await tx.registryManifest.deleteMany({ where: { repositoryId: id, digest: { in: todo.manifests.map((row) => row.digest) } } });
      const result = { tags: todo.tags.length, manifests: todo.manifests.length };
      const object = { kind: "repository" as const, id: path, name: path, teamId: repository.teamId };
      await recordAudit(tx, { actor, action: "registry.manage", object, outcome: "ok", detail: { retention: true, ...result } });
      return result;
    },
    { timeout: 60_000 },
  );
}

/** Applies the policies of all repositories that have one: what the control plane does each day. */
export async function applyAllRetention(services: ServiceContext, actor: Actor): Promise<void> {
  const repositories = await services.prisma.registryRepository.findMany();
  for (const repository of repositories) {
    const policy = policyOf(repository);
    if (policy.rules.length === 0 && policy.untaggedAfterDays === null) continue;
    await applyRetention(services, actor, repository.path);
  }
}
