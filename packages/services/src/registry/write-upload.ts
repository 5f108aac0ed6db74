import { randomUUID } from "node:crypto";
import { isFlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import { type Digest, digestOfHex, hexOf } from "@flotilla/image";
import type { ServiceContext } from "../context.ts";
import { holdBlobs, LEASE_MS, linkBlob, PATIENT } from "./links.ts";
import { overQuota, requireRoomInside, roomLeft } from "./quota.ts";
import { registryError } from "./registry-error.ts";
import { makeRoom } from "./upstream/evict.ts";
import { dropUpload, type HeldUpload, unknownUpload, uploadKey } from "./upload-session.ts";

export type UploadBody = {
  bytes: AsyncIterable<Uint8Array>;
  /** Content-Length, when the client said one. */
  length: number | undefined;
  /** Content-Range, when the client said one; both ends included. */
  range: { start: number; end: number } | undefined;
};

/**
 * Writes a chunk behind what is there. Returns the new length. Memory does not grow with the chunk.
 *
 * @throws RANGE_INVALID when the chunk does not begin where the last one ended, SIZE_INVALID when its length is not the
 * one that it says, DENIED over the quota.
 */
export async function appendToUpload(services: ServiceContext, held: HeldUpload, body: UploadBody): Promise<number> {
  const { storage } = services.registry;
  checkRange(held, body);
  // What was cached of other registries makes room for what is pushed.
  if (body.length !== undefined) await makeRoom(services, held.repository.teamId, body.length);
  const room = await roomLeft(services, held.repository.teamId);
  if (body.length !== undefined && body.length > room) throw overQuota();
  const meter = { bytes: 0 };
  try {
    await storage.append(uploadKey(held.id), held.offset, metered(body.bytes, { meter, held, room }));
  } catch (error) {
    // What arrived counts: the client asks how far it came and goes on.
    const stored = await storage.stat(uploadKey(held.id));
    if (stored !== undefined) await moveOffset(services, held, stored.size);
    throw isFlotillaError(error, "gone") ? unknownUpload() : error;
  }
  const offset = held.offset + meter.bytes;
  const expected = body.range === undefined ? undefined : body.range.end - body.range.start + 1;
  await moveOffset(services, held, offset);
  if (expected !== undefined && expected !== meter.bytes)
    throw registryError("SIZE_INVALID", `Content-Range says ${expected} bytes, there were ${meter.bytes}`);
  held.offset = offset;
  return offset;
}

function checkRange(held: HeldUpload, { range, length }: UploadBody): void {
  if (range === undefined) return;
  if (range.start !== held.offset)
    throw registryError("RANGE_INVALID", `the upload has ${held.offset} bytes: go on from there`, { offset: held.offset });
  if (length !== undefined && length !== range.end - range.start + 1)
    throw registryError("SIZE_INVALID", "Content-Range and Content-Length do not agree");
}

type Metering = { meter: { bytes: number }; held: HeldUpload; room: number };

async function* metered(bytes: AsyncIterable<Uint8Array>, { meter, held, room }: Metering): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    // A process that was stopped for minutes must not write into what another one took over meanwhile.
    if (!held.mayWrite()) throw registryError("BLOB_UPLOAD_INVALID", "another request took this upload over");
    if (meter.bytes + chunk.length > room) throw overQuota();
    meter.bytes += chunk.length;
    yield chunk;
  }
}

async function moveOffset(services: ServiceContext, held: HeldUpload, offset: number): Promise<void> {
  const { count } = await services.prisma.registryUpload.updateMany({
    where: { id: held.id, writer: held.writer },
    data: { offset: BigInt(offset), updatedAt: new Date(services.nowMs()) },
  });
  if (count === 0) throw unknownUpload();
}

/**
 * Makes a finished upload a blob of its repository, if it has the digest that the client says. The file gets its final
 * name before any row names it: a kill leaves a file without a row, which clean-up finds, and never the other way round.
 *
 * @throws DIGEST_INVALID, which ends the upload, and DENIED over the quota.
 */
export async function commitUpload(services: ServiceContext, held: HeldUpload, digest: Digest): Promise<{ size: number }> {
  const { storage } = services.registry;
  // An empty blob has no file yet.
  if (held.offset === 0) await storage.append(uploadKey(held.id), 0, nothing());
  const hex = await storage.digest(uploadKey(held.id), held.offset).catch((error: unknown) => {
    throw isFlotillaError(error, "gone") ? unknownUpload() : error;
  });
  const actual = digestOfHex(hex);
  if (actual !== digest) {
    await dropUpload(services, held.id);
    throw registryError("DIGEST_INVALID", "provided digest did not match uploaded content", { digest, actual });
  }
  const storageKey = `blobs/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}.${randomUUID()}`;
  if (!held.mayWrite()) throw registryError("BLOB_UPLOAD_INVALID", "another request took this upload over");
  await storage.promote(uploadKey(held.id), storageKey).catch((error: unknown) => {
    throw isFlotillaError(error, "gone") ? unknownUpload() : error;
  });
  try {
    const isKept = await recordBlob(services, held, { digest, storageKey });
    if (!isKept) await storage.delete(storageKey);
  } catch (error) {
    // Only a refusal is sure not to have stored the row. After a lost connection to the database it may be there, so the
    // file stays; if it is not, the file is an orphan that clean-up finds.
    if (isFlotillaError(error)) {
      await storage.delete(storageKey);
      await dropUpload(services, held.id);
    }
    throw error;
  }
  return { size: held.offset };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Returns false when the same blob was there before, or came from somebody else at the same time: theirs is kept. */
async function recordBlob(services: ServiceContext, held: HeldUpload, blob: { digest: Digest; storageKey: string }): Promise<boolean> {
  const { digest, storageKey } = blob;
  const { repository, offset } = held;
  return services.prisma.$transaction(async (tx) => {
    const { count } = await tx.registryUpload.deleteMany({ where: { id: held.id, writer: held.writer } });
    if (count === 0) throw unknownUpload();
    const isInTeam = await tx.registryLink.findFirst({ where: { digest, repository: { teamId: repository.teamId } } });
    if (isInTeam === null) await requireRoomInside(tx, repository.teamId, offset);
    let isKept = false;
    // Clean-up may delete the row that was in our way before it can be held; then there is room for ours.
    for (let isHeld = false; !isHeld;) {
      const inserted = await tx.$executeRaw(Prisma.sql`
        INSERT INTO registry_blobs (digest, size, storage_key) VALUES (${digest}, ${BigInt(offset)}, ${storageKey}) ON CONFLICT (digest) DO NOTHING`);
      isKept = inserted === 1;
      isHeld = (await holdBlobs(tx, [digest])).has(digest);
    }
    await linkBlob(tx, { repositoryId: repository.id, digest, leasedUntil: new Date(services.nowMs() + LEASE_MS) });
    return isKept;
  }, PATIENT);
}
