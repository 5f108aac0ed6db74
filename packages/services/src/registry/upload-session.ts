import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { RegistryRepository, RegistryUpload } from "@flotilla/db";
import { z } from "zod";
import type { ServiceContext } from "../context.ts";
import { makeRoom } from "./upstream/evict.ts";
import { registryError } from "./registry-error.ts";

/** A writer that does not renew for this long is dead (its control plane was killed). */
const WRITER_MS = 60_000;
const RENEW_MS = 15_000;
/** A client that lost its connection comes back before the server has noticed: it waits this long for its own old request. */
const TAKEOVER_WAIT_MS = 5_000;
const TAKEOVER_STEP_MS = 100;
/** Uploads that one team may have under way at once: each is a row and a file. */
const MAX_UPLOADS = 1_000;

const uploadId = z.uuid();

export type UploadRef = { repository: RegistryRepository; owner: string; id: string };

/** An upload that only this request writes to. */
export type HeldUpload = { id: string; repository: RegistryRepository; offset: number; writer: string; mayWrite: () => boolean };

export function uploadKey(id: string): string {
  return `uploads/${id}`;
}

/** Begins an upload. @throws DENIED when the team's quota is used up, TOOMANYREQUESTS */
export async function beginUpload(services: ServiceContext, { repository, owner }: Omit<UploadRef, "id">): Promise<string> {
  await makeRoom(services, repository.teamId, 1);
  const open = await services.prisma.registryUpload.count({ where: { repository: { teamId: repository.teamId } } });
  if (open >= MAX_UPLOADS) throw registryError("TOOMANYREQUESTS", "too many uploads of this team are under way");
  const id = randomUUID();
  const now = new Date(services.nowMs());
  await services.prisma.registryUpload.create({ data: { id, repositoryId: repository.id, owner, createdAt: now, updatedAt: now } });
  return id;
}

/** @throws BLOB_UPLOAD_UNKNOWN, in the same words for uploads of others and of other repositories. */
export async function findUpload(services: ServiceContext, ref: UploadRef): Promise<RegistryUpload> {
  const { repository, owner, id } = ref;
  if (!uploadId.safeParse(id).success) throw unknownUpload();
  const row = await services.prisma.registryUpload.findFirst({ where: { id, repositoryId: repository.id, owner } });
  if (row === null) throw unknownUpload();
  return row;
}

export function unknownUpload(): Error {
  return registryError("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
}

/**
 * Runs `work` as the only writer of an upload, over all control planes. How far it came is written also when it fails, so
 * that the client goes on from there.
 *
 * @throws BLOB_UPLOAD_INVALID when another request writes to it.
 */
export async function withUpload<T>(services: ServiceContext, ref: UploadRef, work: (held: HeldUpload) => Promise<T>): Promise<T> {
  await findUpload(services, ref);
  const writer = randomUUID();
  const row = await acquire(services, ref, writer);
  let believedUntilMs = Date.now() + WRITER_MS;
  const timer = setInterval(() => {
    const askedMs = Date.now();
    services.prisma.registryUpload
      .updateMany({ where: { id: ref.id, writer }, data: { writerUntil: new Date(services.nowMs() + WRITER_MS) } })
      .then(
        ({ count }) => (believedUntilMs = count === 0 ? 0 : askedMs + WRITER_MS),
        () => undefined,
      );
  }, RENEW_MS);
  try {
    return await work({
      id: ref.id,
      repository: ref.repository,
      offset: Number(row.offset),
      writer,
      mayWrite: () => Date.now() < believedUntilMs,
    });
  } finally {
    clearInterval(timer);
    await services.prisma.registryUpload.updateMany({ where: { id: ref.id, writer }, data: { writer: null, writerUntil: null } });
  }
}

async function acquire(services: ServiceContext, ref: UploadRef, writer: string): Promise<RegistryUpload> {
  for (let waitedMs = 0; ; waitedMs += TAKEOVER_STEP_MS) {
    const nowMs = services.nowMs();
    const { count } = await services.prisma.registryUpload.updateMany({
      where: { id: ref.id, OR: [{ writer: null }, { writerUntil: { lt: new Date(nowMs) } }] },
      data: { writer, writerUntil: new Date(nowMs + WRITER_MS) },
    });
    // Read after taking it: another writer may have moved the offset just before.
    if (count === 1) return findUpload(services, ref);
    await findUpload(services, ref);
    if (waitedMs >= TAKEOVER_WAIT_MS) throw registryError("BLOB_UPLOAD_INVALID", "another request writes to this upload");
    await sleep(TAKEOVER_STEP_MS);
  }
}

/**
 * How far an upload is. A client that lost its connection asks at once, before the server has noticed: the end of its old
 * request is waited for, for a while.
 */
export async function uploadProgress(services: ServiceContext, ref: UploadRef): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += TAKEOVER_STEP_MS) {
    const row = await findUpload(services, ref);
    const isWritten = row.writerUntil !== null && row.writerUntil.getTime() >= services.nowMs();
    if (!isWritten || waitedMs >= TAKEOVER_WAIT_MS) return Number(row.offset);
    await sleep(TAKEOVER_STEP_MS);
  }
}

/** Ends an upload without a blob. A request that still writes loses its row, and its file to the clean-up. */
export async function cancelUpload(services: ServiceContext, ref: UploadRef): Promise<void> {
  await findUpload(services, ref);
  await dropUpload(services, ref.id);
}

/** Row first: a file without a row is found by the clean-up, a row without a file would be served. */
export async function dropUpload(services: ServiceContext, id: string): Promise<void> {
  await services.prisma.registryUpload.deleteMany({ where: { id } });
  await services.registry.storage.delete(uploadKey(id));
}
