import { setTimeout as sleep } from "node:timers/promises";
import { toFlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import { z } from "zod";
import type { ServiceContext } from "../context.ts";
import { LEASE_MS, PATIENT } from "./links.ts";
import { evictUnused } from "./upstream/evict.ts";
import { uploadKey } from "./upload-session.ts";

// Clean-up while pushes and pulls go on. Nothing stops for it, and three facts make it safe:
//   1. A manifest's rows refer to its blobs by a foreign key, so a blob that a manifest needs cannot lose its row.
//   2. A blob whose manifest has not come yet has a lease in `registry_links`, renewed whenever a client asks for it.
//   3. Every stored file has a key of its own, so deleting the file of a row that is gone never hits a newer one.
// A row goes in one transaction with a note in `registry_trash`; files go after it. A kill anywhere leaves rows that are
// found again, notes that are done again, or files that no row names, which the last phase finds.

export type CleanupProgress = {
  phase: "links" | "blobs" | "files" | "done";
  checked: number;
  total: number;
  deletedBlobs: number;
  freedBytes: number;
};

export type CleanupOptions = {
  onProgress?: (progress: CleanupProgress) => Promise<void> | void;
  /** Files and uploads that nothing names are left alone while younger: their row may be about to be written. */
  orphanAgeMs?: number;
  signal?: AbortSignal;
};

/** An upload that nobody went on with for a day is given up. */
const UPLOAD_AGE_MS = 24 * 3_600_000;
const REPORT_EVERY = 50;

const digests = z.array(z.object({ digest: z.string() }));
const storedBlob = z.array(z.object({ size: z.coerce.number(), storage_key: z.string() }));

/** Runs one clean-up to its end. @throws when the signal is aborted. */
export async function collectGarbage(services: ServiceContext, options: CleanupOptions = {}): Promise<CleanupProgress> {
  const run = new CleanupRun(services, options);
  await run.collect();
  return run.progress;
}

class CleanupRun {
  readonly progress: CleanupProgress = { phase: "links", checked: 0, total: 0, deletedBlobs: 0, freedBytes: 0 };
  readonly #services: ServiceContext;
  readonly #options: CleanupOptions;

  constructor(services: ServiceContext, options: CleanupOptions) {
    this.#services = services;
    this.#options = options;
  }

  async collect(): Promise<void> {
    await this.#enter("links");
    await evictUnused(this.#services);
    await this.#dropUploads();
    await this.#dropLinks();
    await this.#enter("blobs");
    await this.#dropBlobs();
    await this.#enter("files");
    await this.#emptyTrash();
    await this.#dropOrphans("blobs");
    await this.#dropOrphans("uploads");
    await this.#enter("done");
  }

  async #enter(phase: CleanupProgress["phase"]): Promise<void> {
    Object.assign(this.progress, { phase, checked: 0, total: 0 });
    await this.#report();
  }

  async #report(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    await this.#options.onProgress?.({ ...this.progress });
  }

  async #step(): Promise<void> {
    this.progress.checked += 1;
    if (this.progress.checked % REPORT_EVERY === 0) await this.#report();
  }

  async #dropUploads(): Promise<void> {
    const { prisma, registry, nowMs } = this.#services;
    const now = nowMs();
    // One request may take longer than a day: its writer is alive and renews itself.
    const isDead = { updatedAt: { lt: new Date(now - UPLOAD_AGE_MS) }, OR: [{ writer: null }, { writerUntil: { lt: new Date(now) } }] };
    const old = await prisma.registryUpload.findMany({ where: isDead, select: { id: true } });
    for (const { id } of old) {
      const { count } = await prisma.registryUpload.deleteMany({ where: { id, ...isDead } });
      if (count > 0) await registry.storage.delete(uploadKey(id));
    }
  }

  /** Blobs that no manifest of the repository names are not readable there any more, once their lease ended. */
  async #dropLinks(): Promise<void> {
    await this.#services.prisma.$executeRaw(Prisma.sql`
      DELETE FROM registry_links l WHERE l.leased_until <= ${new Date(this.#services.nowMs())} AND NOT EXISTS
        (SELECT 1 FROM registry_references f JOIN registry_manifests m ON m.id = f.manifest_id WHERE m.repository_id = l.repository_id AND f.digest = l.digest)`);
  }

  async #dropBlobs(): Promise<void> {
    const rows = digests.parse(
      await this.#services.prisma.$queryRaw(Prisma.sql`
        SELECT digest FROM registry_blobs b WHERE NOT EXISTS (SELECT 1 FROM registry_references f WHERE f.digest = b.digest)
          AND NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.digest = b.digest)`),
    );
    this.progress.total = rows.length;
    for (const { digest } of rows) {
      await this.#dropBlob(digest);
      await this.#step();
    }
  }

  async #dropBlob(digest: string): Promise<void> {
    const freed = await this.#services.prisma.$transaction(async (tx) => {
      // Waits for everybody who holds it; the questions after it then see what they made.
      const held = storedBlob.parse(
        await tx.$queryRaw(Prisma.sql`SELECT size::float8 AS size, storage_key FROM registry_blobs WHERE digest = ${digest} FOR UPDATE`),
      );
      const [blob] = held;
      if (blob === undefined) return undefined;
      if ((await tx.registryReference.count({ where: { digest } })) > 0 || (await tx.registryLink.count({ where: { digest } })) > 0)
        return undefined;
      await tx.registryBlob.delete({ where: { digest } });
      await tx.registryTrash.create({ data: { storageKey: blob.storage_key, size: BigInt(blob.size) } });
      return blob;
    }, PATIENT);
    if (freed === undefined) return;
    await this.#dropFile(freed.storage_key);
    this.progress.deletedBlobs += 1;
    this.progress.freedBytes += freed.size;
  }

  async #dropFile(storageKey: string): Promise<void> {
    await this.#services.registry.storage.delete(storageKey);
    await this.#services.prisma.registryTrash.deleteMany({ where: { storageKey } });
  }

  /** What a run before us noted and did not come to. */
  async #emptyTrash(): Promise<void> {
    const rows = await this.#services.prisma.registryTrash.findMany();
    for (const row of rows) {
      await this.#dropFile(row.storageKey);
      this.progress.freedBytes += Number(row.size);
    }
  }

  async #dropOrphans(prefix: "blobs" | "uploads"): Promise<void> {
    const { registry, nowMs } = this.#services;
    const beforeMs = nowMs() - (this.#options.orphanAgeMs ?? LEASE_MS);
    for await (const file of registry.storage.list(prefix)) {
      await this.#step();
      if (file.modifiedMs >= beforeMs || (await this.#isNamed(prefix, file.key))) continue;
      await registry.storage.delete(file.key);
      this.progress.freedBytes += file.size;
    }
  }

  async #isNamed(prefix: "blobs" | "uploads", key: string): Promise<boolean> {
    const { prisma } = this.#services;
    if (prefix === "blobs") return (await prisma.registryBlob.count({ where: { storageKey: key } })) > 0;
    return (await prisma.registryUpload.count({ where: { id: key.slice("uploads/".length) } })) > 0;
  }
}

/** Retries what a passing fault of the database broke; the run goes on where its rows say. */
export async function collectWithRetries(services: ServiceContext, options: CleanupOptions): Promise<CleanupProgress> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await collectGarbage(services, options);
    } catch (error) {
      if (attempt >= 3 || options.signal?.aborted === true) throw error;
      services.logger.warn("registry clean-up is tried again", { error: toFlotillaError(error).message });
      await sleep(1_000);
    }
  }
}
