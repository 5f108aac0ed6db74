import { FlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import { difference } from "../audit/difference.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { policyOf } from "./apply-retention.ts";
import { requireRepository } from "./find-repository.ts";
import { requireNoCache } from "./upstream/find-upstream.ts";
import { detachChildren } from "./links.ts";
import { repositoryPath } from "./names.ts";
import { type RetentionPolicy, retentionPolicy, tagPattern } from "./retention-policy.ts";

export type RepositoryRow = {
  path: string;
  isPublic: boolean;
  description: string;
  tags: number;
  manifests: number;
  /** Bytes of its blobs, each once; what other repositories have too counts here as well. */
  sizeBytes: number;
  createdAt: string;
  pushedAt: string | null;
};

export type RepositoryDetail = RepositoryRow & { immutableTags: string | null; retention: RetentionPolicy };

export const repositoryInput = z.object({ repository: repositoryPath });
export const newRepository = repositoryInput.extend({ isPublic: z.boolean().default(false), description: z.string().max(500).default("") });
export const repositoryChange = repositoryInput.extend({
  isPublic: z.boolean().optional(),
  description: z.string().max(500).optional(),
  immutableTags: tagPattern.nullable().optional(),
  retention: retentionPolicy.optional(),
});

const row = z.object({
  path: z.string(),
  isPublic: z.boolean(),
  description: z.string(),
  tags: z.number(),
  manifests: z.number(),
  sizeBytes: z.number(),
  createdAt: z.date().transform((time) => time.toISOString()),
  pushedAt: z
    .date()
    .nullable()
    .transform((time) => time?.toISOString() ?? null),
});

function readRows(services: ServiceContext, where: Prisma.Sql): Promise<RepositoryRow[]> {
  return services.prisma
    .$queryRaw(Prisma.sql`
      SELECT r.path, r.is_public AS "isPublic", r.description, r.created_at AS "createdAt", r.pushed_at AS "pushedAt",
        (SELECT COUNT(*) FROM registry_tags t WHERE t.repository_id = r.id)::float8 AS tags,
        (SELECT COUNT(*) FROM registry_manifests m WHERE m.repository_id = r.id)::float8 AS manifests,
        (SELECT COALESCE(SUM(b.size), 0) FROM registry_links l JOIN registry_blobs b ON b.digest = l.digest WHERE l.repository_id = r.id)::float8 AS "sizeBytes"
      FROM registry_repositories r WHERE ${where} ORDER BY r.path`)
    .then((rows) => z.array(row).parse(rows));
}

/** The repositories of the caller's team. */
export function listRepositories(services: ServiceContext, actor: Actor): Promise<RepositoryRow[]> {
  const { team } = requireUser(actor);
  return readRows(services, Prisma.sql`r.team_id = ${team.id}`);
}

export async function getRepository(services: ServiceContext, path: string): Promise<RepositoryDetail> {
  const found = await requireRepository(services, path);
  const [facts] = await readRows(services, Prisma.sql`r.id = ${found.id}`);
  if (facts === undefined) throw notFound("repository", path);
  return { ...facts, immutableTags: found.immutableTags, retention: policyOf(found) };
}

/** Makes an empty repository; the first push would make a private one too. @throws conflict */
export async function createRepository(services: ServiceContext, actor: Actor, input: z.output<typeof newRepository>): Promise<void> {
  const { team } = requireUser(actor);
  const { repository: path, isPublic, description } = input;
  await requireNoCache(services, path);
  await services.prisma.$transaction(async (tx) => {
    const made = await tx.registryRepository.createMany({ data: [{ path, teamId: team.id, isPublic, description }], skipDuplicates: true });
    if (made.count === 0) throw new FlotillaError("conflict", `there is a repository ${path} already`);
    await recordAudit(tx, {
      actor,
      action: "registry.push",
      object: objectOf(path, team.id),
      outcome: "ok",
      detail: { created: true, isPublic },
    });
  });
}

/** Changes what is given and leaves the rest. */
export async function updateRepository(services: ServiceContext, actor: Actor, input: z.output<typeof repositoryChange>): Promise<void> {
  const { repository: path, isPublic, description, immutableTags, retention } = input;
  const data = {
    ...(isPublic === undefined ? {} : { isPublic }),
    ...(description === undefined ? {} : { description }),
    ...(immutableTags === undefined ? {} : { immutableTags }),
    ...(retention === undefined ? {} : { retention }),
  };
  const before = await requireRepository(services, path);
  const { id, teamId } = before;
  await services.prisma.$transaction(async (tx) => {
    await tx.registryRepository.update({ where: { id }, data });
    const changes = difference(before, data);
    await recordAudit(tx, { actor, action: "registry.manage", object: objectOf(path, teamId), outcome: "ok", changes });
  });
}

/** Removes a repository with its tags and manifests; its blobs go with the next clean-up. */
export async function deleteRepository(services: ServiceContext, actor: Actor, path: string): Promise<void> {
  const { id, teamId } = await requireRepository(services, path);
  await services.prisma.$transaction(async (tx) => {
    await detachChildren(tx, { id });
    const { count } = await tx.registryRepository.deleteMany({ where: { id } });
    if (count === 0) throw notFound("repository", path);
    await recordAudit(tx, { actor, action: "registry.manage", object: objectOf(path, teamId), outcome: "ok", detail: { deleted: true } });
  });
}

function objectOf(path: string, teamId: string): { kind: "repository"; id: string; name: string; teamId: string } {
  return { kind: "repository", id: path, name: path, teamId };
}
