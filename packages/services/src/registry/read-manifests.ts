import type { Prisma, RegistryManifest } from "@flotilla/db";
import { type Digest, MEDIA_TYPE } from "@flotilla/image";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { registryError } from "./registry-error.ts";

/** A page of a listing; `last` is the name that the page before ended with. */
export type PageInput = { limit: number; last: string | undefined };
export type Page = { names: string[]; hasMore: boolean };

/** When a tag was last pulled is written at most this often. */
const PULLED_STEP_MS = 60_000;
/** The answer of the referrers API must be an index, which clients read whole. */
const MAX_REFERRERS = 1_000;

/** @throws MANIFEST_UNKNOWN */
export async function getManifest(
  services: ServiceContext,
  repositoryId: string,
  reference: { tag: string } | { digest: Digest },
): Promise<RegistryManifest> {
  const { prisma } = services;
  if ("digest" in reference) {
    const found = await prisma.registryManifest.findUnique({ where: { repositoryId_digest: { repositoryId, digest: reference.digest } } });
    if (found === null) throw unknownManifest(reference.digest);
    return found;
  }
  const tag = await prisma.registryTag.findUnique({
    where: { repositoryId_name: { repositoryId, name: reference.tag } },
    include: { manifest: true },
  });
  if (tag === null) throw unknownManifest(reference.tag);
  const nowMs = services.nowMs();
  if (tag.pulledAt === null || nowMs - tag.pulledAt.getTime() > PULLED_STEP_MS) {
    await prisma.registryTag.updateMany({ where: { id: tag.id }, data: { pulledAt: new Date(nowMs) } });
  }
  return tag.manifest;
}

export function unknownManifest(reference: string): Error {
  return registryError("MANIFEST_UNKNOWN", "manifest unknown", { reference });
}

/** Tags in the order of their bytes, after `last`. */
export async function listTagNames(services: ServiceContext, repositoryId: string, page: PageInput): Promise<Page> {
  const rows = await services.prisma.registryTag.findMany({
    where: { repositoryId, ...(page.last === undefined ? {} : { name: { gt: page.last } }) },
    orderBy: { name: "asc" },
    take: page.limit + 1,
    select: { name: true },
  });
  return toPage(
    rows.map((row) => row.name),
    page.limit,
  );
}

/** Repositories that the caller may pull: those of their team and public ones. */
export async function listCatalog(services: ServiceContext, actor: Actor, page: PageInput): Promise<Page> {
  const own: Prisma.RegistryRepositoryWhereInput[] = actor.kind === "user" ? [{ teamId: actor.team.id }] : [];
  const rows = await services.prisma.registryRepository.findMany({
    where: { OR: [{ isPublic: true }, ...own], ...(page.last === undefined ? {} : { path: { gt: page.last } }) },
    orderBy: { path: "asc" },
    take: page.limit + 1,
    select: { path: true },
  });
  return toPage(
    rows.map((row) => row.path),
    page.limit,
  );
}

function toPage(names: string[], limit: number): Page {
  return { names: names.slice(0, limit), hasMore: names.length > limit };
}

const stringMap = z.record(z.string(), z.string());

export type Referrer = { mediaType: string; digest: string; size: number; artifactType?: string; annotations?: Record<string, string> };

/** What refers to a digest (signatures, bills of materials) as descriptors of an OCI index; none is no error. */
export async function listReferrers(
  services: ServiceContext,
  repositoryId: string,
  query: { subject: string; artifactType: string | undefined },
): Promise<Referrer[]> {
  const rows = await services.prisma.registryManifest.findMany({
    where: { repositoryId, subject: query.subject, ...(query.artifactType === undefined ? {} : { artifactType: query.artifactType }) },
    orderBy: [{ createdAt: "asc" }, { digest: "asc" }],
    take: MAX_REFERRERS,
    select: { mediaType: true, digest: true, size: true, artifactType: true, annotations: true },
  });
  return rows.map(({ mediaType, digest, size, artifactType, annotations }) => {
    const known = stringMap.safeParse(annotations).data ?? {};
    return {
      mediaType,
      digest,
      size,
      ...(artifactType === null ? {} : { artifactType }),
      ...(Object.keys(known).length === 0 ? {} : { annotations: known }),
    };
  });
}

/** The answer of the referrers API (distribution-spec 1.1, "Listing Referrers"). */
export function toReferrersIndex(referrers: readonly Referrer[]): { schemaVersion: 2; mediaType: string; manifests: readonly Referrer[] } {
  return { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: referrers };
}
