import { type RegistryRepository, type Transaction } from "@flotilla/db";
import type { Digest } from "@flotilla/image";
import type { Actor } from "../access/actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { lockRepository } from "./find-repository.ts";
import { PATIENT } from "./links.ts";
import { unknownManifest } from "./read-manifests.ts";
import { registryError } from "./registry-error.ts";
import { matchesTagPattern } from "./retention-policy.ts";

/**
 * Removes a tag, or a manifest with the tags that point to it. Blobs stay until the clean-up.
 *
 * @throws MANIFEST_UNKNOWN, and DENIED for an immutable tag or a manifest that an index names.
 */
export async function deleteManifest(
  services: ServiceContext,
  actor: Actor,
  target: { repositoryId: string; reference: { tag: string } | { digest: Digest } },
): Promise<void> {
  const { reference } = target;
  await services.prisma.$transaction(async (tx) => {
    const repository = await lockRepository(tx, target.repositoryId);
    if ("tag" in reference) await deleteTag(tx, repository, reference.tag);
    else await deleteByDigest(tx, repository, reference.digest);
    const object = { kind: "repository" as const, id: repository.path, name: repository.path, teamId: repository.teamId };
    await recordAudit(tx, { actor, action: "registry.delete", object, outcome: "ok", detail: { ...reference } });
  }, PATIENT);
}

/** Inside the repository's lock. */
async function deleteTag(tx: Transaction, repository: RegistryRepository, name: string): Promise<void> {
  requireMutable(repository, [name]);
  const { count } = await tx.registryTag.deleteMany({ where: { repositoryId: repository.id, name } });
  if (count === 0) throw unknownManifest(name);
}

async function deleteByDigest(tx: Transaction, repository: RegistryRepository, digest: Digest): Promise<void> {
  const manifest = await tx.registryManifest.findUnique({
    where: { repositoryId_digest: { repositoryId: repository.id, digest } },
    include: { tags: true, parents: { include: { parent: { select: { digest: true } } } } },
  });
  if (manifest === null) throw unknownManifest(digest);
  requireMutable(
    repository,
    manifest.tags.map((tag) => tag.name),
  );
  const [parent] = manifest.parents;
  if (parent !== undefined)
    throw registryError("DENIED", `the manifest is part of index ${parent.parent.digest}: delete that first`, { digest });
  await tx.registryManifest.delete({ where: { id: manifest.id } });
}

function requireMutable(repository: RegistryRepository, tags: readonly string[]): void {
  const { immutableTags } = repository;
  const held = immutableTags === null ? undefined : tags.find((tag) => matchesTagPattern(immutableTags, tag));
  if (held !== undefined) throw registryError("DENIED", `tag ${held} is immutable in this repository`, { tag: held });
}
