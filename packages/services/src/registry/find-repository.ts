import { Prisma, type RegistryRepository, type Transaction } from "@flotilla/db";
import type { Actor } from "../access/actor.ts";
import { notFound } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";
import { teamSlugOf } from "./names.ts";
import { registryError } from "./registry-error.ts";

/** A path with what is known of it: `repository` is null while nothing was pushed there. */
export type FoundRepository = { path: string; object: ObjectRef; teamId: string | null; repository: RegistryRepository | null };

/** The object of an action on a path, whether the repository exists or not: the team is in its name. */
export async function locateRepository(services: ServiceContext, path: string): Promise<FoundRepository> {
  const slug = teamSlugOf(path);
  const [team, repository] = await Promise.all([
    services.cache.get(`registry team ${slug}`, () => services.prisma.team.findUnique({ where: { slug }, select: { id: true } })),
    services.prisma.registryRepository.findUnique({ where: { path } }),
  ]);
  const teamId = repository?.teamId ?? team?.id ?? null;
  return {
    path,
    repository,
    teamId,
    object: { kind: "repository", id: path, name: path, teamId, isPublic: repository?.isPublic ?? false },
  };
}

/**
 * The same for the dashboard, which shows the caller's own team only: no query, so that a path of another team and one
 * that is nowhere are alike.
 */
export function ownRepositoryObject(actor: Actor, path: string): ObjectRef {
  const teamId = actor.kind === "user" && actor.team.slug === teamSlugOf(path) ? actor.team.id : null;
  return { kind: "repository", id: path, name: path, teamId };
}

/** @throws not_found */
export async function requireRepository(services: ServiceContext, path: string): Promise<RegistryRepository> {
  const repository = await services.prisma.registryRepository.findUnique({ where: { path } });
  if (repository === null) throw notFound("repository", path);
  return repository;
}

/** @throws NAME_UNKNOWN */
export function known(found: FoundRepository): RegistryRepository {
  if (found.repository === null) throw registryError("NAME_UNKNOWN", "repository name not known to registry", { name: found.path });
  return found.repository;
}

/** The repository, made at the first push: private. @throws NAME_UNKNOWN when its first component is no team. */
export async function ensureRepository(services: ServiceContext, found: FoundRepository): Promise<RegistryRepository> {
  if (found.repository !== null) return found.repository;
  if (found.teamId === null)
    throw registryError("NAME_UNKNOWN", `repositories are named <team>/<name>: there is no team ${teamSlugOf(found.path)}`, {
      name: found.path,
    });
  // Pushes of several layers begin at once: one of them makes it, the others find it.
  await services.prisma.registryRepository.createMany({ data: [{ path: found.path, teamId: found.teamId }], skipDuplicates: true });
  const repository = await services.prisma.registryRepository.findUnique({ where: { path: found.path } });
  return known({ ...found, repository });
}

/** Locks a repository for the rest of the transaction: changes of its manifests and tags go one after the other. */
export async function lockRepository(tx: Transaction, id: string): Promise<RegistryRepository> {
  await tx.$queryRaw(Prisma.sql`SELECT 1 FROM registry_repositories WHERE id = ${id} FOR UPDATE`);
  const repository = await tx.registryRepository.findUnique({ where: { id } });
  if (repository === null) throw registryError("NAME_UNKNOWN", "repository name not known to registry");
  return repository;
}
