import { FlotillaError } from "@flotilla/core";
import { Prisma, type PrismaClient, type Transaction } from "@flotilla/db";
import { planeId } from "@flotilla/protocol";
import { z } from "zod";
import type { HeldConnection, StoredConnection } from "./plan-fencing.ts";

/** A control plane counts as there for so long after it was last heard of by the database, whose clock alone counts. */
export const LEASE_MS = 15_000;

/** Postgres channel on which control planes hear of each other and of hosts that connect: {@link PlaneNews}. */
export const PLANES_CHANNEL = "flotilla_planes";

export type PlaneNews = { kind: "planes" } | { kind: "host"; hostId: string; epoch: number };

export type Plane = { id: string; url: string; publicKey: string };
export type OwnPlane = Plane & { version: string };

const planeRows = z.array(z.object({ id: planeId, url: z.url(), public_key: z.string() }));
const idRows = z.array(z.object({ id: z.string() }));
const newRows = z.array(z.object({ is_new: z.boolean() }));
const storedRows = z.array(z.object({ id: z.string(), host_epoch: z.int().nullable(), held_epoch: z.int().nullable() }));
const holderRows = z.array(z.object({ host_id: z.string(), control_plane_id: z.string(), epoch: z.int() }));

/** What the database knows of control planes and of who holds which host. */
export class PlaneRegistry {
  readonly #prisma: PrismaClient;
  readonly #own: OwnPlane;

  constructor(prisma: PrismaClient, own: OwnPlane) {
    this.#prisma = prisma;
    this.#own = own;
  }

  /**
   * Takes a place among the control planes. What stood at this address before has ended: this process listens there now.
   * @throws conflict when another control plane of this database has another identity.
   */
  async enter(): Promise<void> {
    const { id, url, publicKey } = this.#own;
    await this.#prisma.$transaction(async (tx) => {
      const stranger = await tx.$queryRaw(Prisma.sql`
        SELECT id FROM control_planes WHERE public_key <> ${publicKey} AND url <> ${url} AND lease_until >= now() LIMIT 1`);
      if (idRows.parse(stranger).length > 0)
        throw new FlotillaError(
          "conflict",
          "another control plane runs on this database with another identity: give this one a copy of its secrets.json",
        );
      await tx.controlPlane.deleteMany({ where: { url, id: { not: id } } });
      await this.#lease(tx);
    });
  }

  /** Renews the lease and forgets control planes whose lease is over. Returns the others. */
  async renew(): Promise<Plane[]> {
    const { id } = this.#own;
    return this.#prisma.$transaction(async (tx) => {
      await this.#lease(tx);
      const gone = idRows.parse(await tx.$queryRaw(Prisma.sql`DELETE FROM control_planes WHERE lease_until < now() RETURNING id`));
      if (gone.length > 0) await notify(tx, { kind: "planes" });
      const rows = planeRows.parse(await tx.$queryRaw(Prisma.sql`SELECT id, url, public_key FROM control_planes WHERE id <> ${id}`));
      return rows.map((row) => ({ id: row.id, url: row.url, publicKey: row.public_key }));
    });
  }

  async leave(): Promise<void> {
    await this.#prisma.$transaction(async (tx) => {
      await tx.controlPlane.deleteMany({ where: { id: this.#own.id } });
      await notify(tx, { kind: "planes" });
    });
  }

  /** Writes, with the host's new epoch, that its connection is here, and tells every control plane. */
  async hold(tx: Transaction, held: HeldConnection): Promise<void> {
    await this.#write(tx, [held]);
    await notify(tx, { kind: "host", ...held });
  }

  /** The connection has ended. */
  async release({ hostId, epoch }: HeldConnection): Promise<void> {
    await this.#prisma.hostConnection.deleteMany({ where: { hostId, epoch, controlPlaneId: this.#own.id } });
  }

  /** Connections that are here, and that the database has lost with a lease that was over for a while. */
  async claim(held: readonly HeldConnection[]): Promise<void> {
    if (held.length > 0) await this.#write(this.#prisma, held);
  }

  /** What the database says of hosts whose connection is here. */
  async readStored(hostIds: readonly string[]): Promise<StoredConnection[]> {
    const rows = await this.#prisma.$queryRaw(Prisma.sql`
      SELECT mine.id, h.epoch AS host_epoch, c.epoch AS held_epoch FROM unnest(${[...hostIds]}::text[]) AS mine(id)
      LEFT JOIN hosts h ON h.id = mine.id LEFT JOIN host_connections c ON c.host_id = mine.id AND c.control_plane_id = ${this.#own.id}`);
    return storedRows.parse(rows).map((row) => ({ hostId: row.id, hostEpoch: row.host_epoch, heldEpoch: row.held_epoch }));
  }

  /** Who holds a host by the database: not the own process. */
  async readHolder(hostId: string): Promise<string | undefined> {
    const row = await this.#prisma.hostConnection.findUnique({ where: { hostId }, select: { controlPlaneId: true } });
    return row === null || row.controlPlaneId === this.#own.id ? undefined : row.controlPlaneId;
  }

  /** The hosts that these control planes hold by the database. */
  async readHeldBy(planeIds: readonly string[]): Promise<(HeldConnection & { planeId: string })[]> {
    if (planeIds.length === 0) return [];
    const rows = await this.#prisma.$queryRaw(Prisma.sql`
      SELECT host_id, control_plane_id, epoch FROM host_connections WHERE control_plane_id = ANY(${[...planeIds]}::text[])`);
    return holderRows.parse(rows).map((row) => ({ hostId: row.host_id, planeId: row.control_plane_id, epoch: row.epoch }));
  }

  async #lease(tx: Transaction): Promise<void> {
    const { id, url, publicKey, version } = this.#own;
    const rows = await tx.$queryRaw(Prisma.sql`
      INSERT INTO control_planes (id, url, public_key, version, heartbeat_at, lease_until)
      VALUES (${id}, ${url}, ${publicKey}, ${version}, now(), now() + make_interval(secs => ${LEASE_MS / 1_000}))
      ON CONFLICT (id) DO UPDATE SET heartbeat_at = EXCLUDED.heartbeat_at, lease_until = EXCLUDED.lease_until
      RETURNING (xmax = 0) AS is_new`);
    if (newRows.parse(rows).some((row) => row.is_new)) await notify(tx, { kind: "planes" });
  }

  /** Never over a newer connection; nothing for a host that has a newer one, or is gone, or while this process has no lease. */
  async #write(db: PrismaClient | Transaction, held: readonly HeldConnection[]): Promise<void> {
    const ids = held.map(({ hostId }) => hostId);
    const epochs = held.map(({ epoch }) => epoch);
    await db.$executeRaw(Prisma.sql`
      INSERT INTO host_connections (host_id, control_plane_id, epoch)
      SELECT h.id, p.id, mine.epoch FROM unnest(${ids}::text[], ${epochs}::int[]) AS mine(id, epoch)
      JOIN hosts h ON h.id = mine.id AND h.epoch = mine.epoch JOIN control_planes p ON p.id = ${this.#own.id}
      ON CONFLICT (host_id) DO UPDATE SET control_plane_id = EXCLUDED.control_plane_id, epoch = EXCLUDED.epoch
      WHERE host_connections.epoch <= EXCLUDED.epoch`);
  }
}

async function notify(tx: Transaction, news: PlaneNews): Promise<void> {
  const payload = news.kind === "planes" ? "planes" : `host ${news.epoch} ${news.hostId}`;
  await tx.$executeRaw(Prisma.sql`SELECT pg_notify(${PLANES_CHANNEL}, ${payload})`);
}

/** What is not understood may be of a newer control plane: it is looked who is there. */
export function parseNews(payload: string): PlaneNews {
  const match = /^host (\d{1,10}) (\S+)$/.exec(payload);
  const [, epoch, hostId] = match ?? [];
  return epoch === undefined || hostId === undefined ? { kind: "planes" } : { kind: "host", hostId, epoch: Number(epoch) };
}
