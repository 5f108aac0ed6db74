import { createHash } from "node:crypto";
import { Prisma, type RegistryManifest, type Transaction } from "@flotilla/db";
import { type Digest, digestOfHex } from "@flotilla/image";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { lockRepository } from "./find-repository.ts";
import { holdBlobs, LEASE_MS, PATIENT } from "./links.ts";
import { type ManifestFacts, readManifestFacts } from "./manifest-facts.ts";
import { requireRoomInside } from "./quota.ts";
import { pusherName } from "./registry-caller.ts";
import { registryError } from "./registry-error.ts";
import { makeRoom } from "./upstream/evict.ts";
import { matchesTagPattern } from "./retention-policy.ts";

/** The distribution specification asks for at least 4 MiB. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

export type ManifestPush = {
  repositoryId: string;
  reference: { tag: string } | { digest: Digest };
  content: Uint8Array<ArrayBuffer>;
  contentType: string | undefined;
};

const sizeRows = z.array(z.object({ digest: z.string(), size: z.coerce.number() }));

/**
 * Stores a manifest and moves its tag, in one transaction: everything that it names is here and stays, or nothing happens.
 *
 * @throws MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_INVALID, and DENIED for an immutable tag or over the quota.
 */
export async function putManifest(
  services: ServiceContext,
  actor: Actor,
  push: ManifestPush,
): Promise<{ digest: Digest; subject: string | null }> {
  const digest = digestOfHex(createHash("sha256").update(push.content).digest("hex"));
  if ("digest" in push.reference && push.reference.digest !== digest) {
    throw registryError("DIGEST_INVALID", "provided digest did not match uploaded content", {
      digest: push.reference.digest,
      actual: digest,
    });
  }
  const facts = readManifestFacts(push.content, push.contentType);
  const now = new Date(services.nowMs());
  await makeRoomForManifest(services, push);
  await services.prisma.$transaction(async (tx) => {
    const repository = await lockRepository(tx, push.repositoryId);
    const existing = await tx.registryManifest.findUnique({ where: { repositoryId_digest: { repositoryId: repository.id, digest } } });
    if (existing === null) await requireRoomInside(tx, repository.teamId, push.content.length);
    await holdContent(tx, { repositoryId: repository.id, facts, leasedUntil: new Date(now.getTime() + LEASE_MS) });
    const children = await findChildren(tx, repository.id, facts);
    const manifest = existing ?? (await createManifest(tx, { push, digest, facts, actor, now }));
    if (existing === null && children.length > 0)
      await tx.registryChild.createMany({ data: children.map((childId) => ({ parentId: manifest.id, childId })) });
    await tx.registryManifest.update({ where: { id: manifest.id }, data: { pushedAt: now } });
    if ("tag" in push.reference) await moveTag(tx, { repository, manifest, tag: push.reference.tag, actor, now });
    await tx.registryRepository.update({ where: { id: repository.id }, data: { pushedAt: now } });
    const object = { kind: "repository" as const, id: repository.path, name: repository.path, teamId: repository.teamId };
    await recordAudit(tx, {
      actor,
      action: "registry.push",
      object,
      outcome: "ok",
      detail: { digest, tag: "tag" in push.reference ? push.reference.tag : null },
    });
  }, PATIENT);
  return { digest, subject: facts.subject };
}

async function makeRoomForManifest(services: ServiceContext, push: ManifestPush): Promise<void> {
  const repository = await services.prisma.registryRepository.findUnique({ where: { id: push.repositoryId }, select: { teamId: true } });
  if (repository !== null) await makeRoom(services, repository.teamId, push.content.length);
}

/** Everything that the manifest needs is in this repository, has the size that it says, and stays while we commit. */
async function holdContent(
  tx: Transaction,
  { repositoryId, facts, leasedUntil }: { repositoryId: string; facts: ManifestFacts; leasedUntil: Date },
): Promise<void> {
  const digests = facts.blobs.map((blob) => blob.digest);
  if (digests.length === 0) return;
  await holdBlobs(tx, digests);
  const rows = sizeRows.parse(
    await tx.$queryRaw(Prisma.sql`
      UPDATE registry_links l SET leased_until = GREATEST(l.leased_until, ${leasedUntil}) FROM registry_blobs b
      WHERE l.repository_id = ${repositoryId} AND l.digest IN (${Prisma.join(digests)}) AND b.digest = l.digest
      RETURNING l.digest, b.size::float8 AS size`),
  );
  const sizes = new Map(rows.map((row) => [row.digest, row.size]));
  for (const blob of facts.blobs) {
    const size = sizes.get(blob.digest);
    if (size === undefined) throw registryError("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", { digest: blob.digest });
    if (size !== blob.size)
      throw registryError("MANIFEST_INVALID", `manifest invalid: ${blob.digest} has ${size} bytes, not ${blob.size}`, {
        digest: blob.digest,
      });
  }
}

async function findChildren(tx: Transaction, repositoryId: string, facts: ManifestFacts): Promise<string[]> {
  if (facts.manifests.length === 0) return [];
  const rows = await tx.registryManifest.findMany({
    where: { repositoryId, digest: { in: facts.manifests.map((part) => part.digest) } },
    select: { id: true, digest: true, size: true },
  });
  const found = new Map(rows.map((row) => [row.digest, row]));
  return facts.manifests.map((part) => {
    const row = found.get(part.digest);
    if (row === undefined)
      throw registryError("MANIFEST_BLOB_UNKNOWN", "manifest of the index unknown to registry", { digest: part.digest });
    if (row.size !== part.size)
      throw registryError("MANIFEST_INVALID", `manifest invalid: ${part.digest} has ${row.size} bytes, not ${part.size}`, {
        digest: part.digest,
      });
    return row.id;
  });
}

type NewManifest = { push: ManifestPush; digest: Digest; facts: ManifestFacts; actor: Actor; now: Date };

async function createManifest(tx: Transaction, { push, digest, facts, actor, now }: NewManifest): Promise<RegistryManifest> {
  return tx.registryManifest.create({
    data: {
      repositoryId: push.repositoryId,
      digest,
      mediaType: facts.mediaType,
      artifactType: facts.artifactType,
      subject: facts.subject,
      annotations: facts.annotations,
      size: push.content.length,
      contentSize: BigInt(facts.blobs.reduce((sum, blob) => sum + blob.size, 0)),
      content: push.content,
      pushedBy: pusherName(actor),
      createdAt: now,
      pushedAt: now,
      references: { create: facts.blobs.map((blob) => ({ digest: blob.digest })) },
    },
  });
}

type TagMove = { repository: { id: string; immutableTags: string | null }; manifest: { id: string }; tag: string; actor: Actor; now: Date };

async function moveTag(tx: Transaction, { repository, manifest, tag, actor, now }: TagMove): Promise<void> {
  const key = { repositoryId_name: { repositoryId: repository.id, name: tag } };
  const before = await tx.registryTag.findUnique({ where: key });
  const isImmutable = repository.immutableTags !== null && matchesTagPattern(repository.immutableTags, tag);
  if (before !== null && before.manifestId !== manifest.id && isImmutable) {
    throw registryError("DENIED", `tag ${tag} is immutable in this repository: push another tag`, { tag });
  }
  // The same push again (a retried request) leaves an immutable tag as it is.
  if (before?.manifestId === manifest.id && isImmutable) return;
  const data = { manifestId: manifest.id, pushedBy: pusherName(actor), pushedAt: now };
  await tx.registryTag.upsert({ where: key, create: { repositoryId: repository.id, name: tag, ...data }, update: data });
}
