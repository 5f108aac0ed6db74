import { randomUUID } from "node:crypto";
import { isFlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import { type Digest, hexOf } from "@flotilla/image";
import { streamBlob } from "@flotilla/registry";
import type { ServiceContext } from "../../context.ts";
import { lockRepository } from "../find-repository.ts";
import { holdBlobs, LEASE_MS, linkBlob, PATIENT } from "../links.ts";
import { requireRoomInside } from "../quota.ts";
import { type BlobFacts, findBlob, unknownBlob } from "../read-blob.ts";
import { uploadKey } from "../upload-session.ts";
import { BlobFetch } from "./blob-fetch.ts";
import { makeRoom } from "./evict.ts";
import type { CachedRepository } from "./upstream-settings.ts";
import { toClientError } from "./upstream-pulls.ts";

/** A blob of a cached repository: stored, or to be had from its upstream. Nothing is asked of the upstream before `begin`. */
export type PulledBlob = { blob: BlobFacts } | { size: number; begin(): Promise<BlobFetch> };

/**
 * A blob that a cached manifest names. Others are not fetched: a client always has the manifest first.
 * @throws BLOB_UNKNOWN
 */
export async function pullBlob(services: ServiceContext, cached: CachedRepository, digest: Digest): Promise<PulledBlob> {
  const { prisma } = services;
  const repository = await prisma.registryRepository.findUnique({ where: { path: cached.path }, select: { id: true } });
  if (repository === null) throw unknownBlob(digest);
  try {
    return { blob: await findBlob(services, repository.id, digest) };
  } catch (error) {
    if (!isFlotillaError(error, "not_found")) throw error;
  }
  const wanted = await prisma.registryWanted.findFirst({ where: { digest, isManifest: false, manifest: { repositoryId: repository.id } } });
  if (wanted === null) throw unknownBlob(digest);
  const size = Number(wanted.size);
  return { size, begin: () => beginFetch(services, cached, { repositoryId: repository.id, digest, size }) };
}

type Wanted = { repositoryId: string; digest: Digest; size: number };

/** @throws DENIED when there is no room for it. */
async function beginFetch(services: ServiceContext, cached: CachedRepository, wanted: Wanted): Promise<BlobFetch> {
  const { upstreams, storage } = services.registry;
  const { repositoryId, digest, size } = wanted;
  await makeRoom(services, cached.upstream.teamId, size);
  return upstreams.fetch(`${repositoryId} ${digest}`, () => {
    const fetch = new BlobFetch(storage, { key: uploadKey(randomUUID()), size });
    const done = upstreams
      .ask(cached, (repository) =>
        fetch.run(clientErrors(streamBlob(repository, { blob: { digest, size }, signal: upstreams.signal }), cached), (key) =>
          keep(services, cached, { ...wanted, key }),
        ),
      )
      .catch((error: unknown) => fetch.fail(toClientError(error, cached)));
    return { fetch, done };
  });
}

/** Errors of the upstream in the words for our client; those of our own storage are as they are. */
async function* clientErrors(source: AsyncIterable<Uint8Array>, cached: CachedRepository): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw toClientError(error, cached);
  }
}

/** Stores what was fetched and verified; returns its key, which is another one's when that was faster. */
async function keep(services: ServiceContext, cached: CachedRepository, fetched: Wanted & { key: string }): Promise<string> {
  const { storage } = services.registry;
  const hex = hexOf(fetched.digest);
  const storageKey = `blobs/${hex.slice(0, 2)}/${hex}.${randomUUID()}`;
  await storage.promote(fetched.key, storageKey);
  try {
    const kept = await record(services, cached, { ...fetched, storageKey });
    if (kept !== storageKey) await storage.delete(storageKey);
    return kept;
  } catch (error) {
    // Only a refusal is sure not to have stored the row: after a lost connection the file stays, and clean-up finds an orphan.
    if (isFlotillaError(error)) await storage.delete(storageKey);
    throw error;
  }
}

async function record(services: ServiceContext, cached: CachedRepository, stored: Wanted & { storageKey: string }): Promise<string> {
  const { repositoryId, digest, size, storageKey } = stored;
  const { teamId } = cached.upstream;
  return services.prisma.$transaction(async (tx) => {
    await lockRepository(tx, repositoryId);
    const isInTeam = await tx.registryLink.findFirst({ where: { digest, repository: { teamId } } });
    if (isInTeam === null) await requireRoomInside(tx, teamId, size);
    // Clean-up may delete the row that was in our way before it can be held; then there is room for ours.
    for (let isHeld = false; !isHeld;) {
      await tx.$executeRaw(Prisma.sql`
        INSERT INTO registry_blobs (digest, size, storage_key) VALUES (${digest}, ${BigInt(size)}, ${storageKey}) ON CONFLICT (digest) DO NOTHING`);
      isHeld = (await holdBlobs(tx, [digest])).has(digest);
    }
    await linkBlob(tx, { repositoryId, digest, leasedUntil: new Date(services.nowMs() + LEASE_MS) });
    const where = { digest, isManifest: false, size: BigInt(size), manifest: { repositoryId } };
    const wanting = await tx.registryWanted.findMany({ where, select: { manifestId: true } });
    await tx.registryReference.createMany({ data: wanting.map(({ manifestId }) => ({ manifestId, digest })), skipDuplicates: true });
    await tx.registryWanted.deleteMany({ where });
    return (await tx.registryBlob.findUniqueOrThrow({ where: { digest } })).storageKey;
  }, PATIENT);
}
