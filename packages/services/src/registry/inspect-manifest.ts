import { alignHistory, digestSchema, type ImageConfig } from "@flotilla/image";
import { z } from "zod";
import { notFound } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { requireRepository } from "./find-repository.ts";
import { type NamedContent, readManifestFacts } from "./manifest-facts.ts";
import { platformsOf } from "./manifest-platforms.ts";
import { repositoryPath, tagName } from "./names.ts";
import { readConfig } from "./read-config.ts";
import { listReferrers, type Referrer } from "./read-manifests.ts";

export const manifestInput = z.object({ repository: repositoryPath, reference: z.union([tagName, digestSchema]) });

export type TagRow = {
  name: string;
  digest: string;
  mediaType: string;
  /** Bytes of the image; of an index, of all its images. */
  sizeBytes: number;
  platforms: string[];
  pushedBy: string;
  pushedAt: string;
  pulledAt: string | null;
};

export type ManifestDetail = {
  digest: string;
  mediaType: string;
  artifactType: string | null;
  subject: string | null;
  annotations: Record<string, string>;
  size: number;
  tags: string[];
  pushedBy: string;
  pushedAt: string;
  layers: { digest: string; mediaType: string; size: number; instruction: string | null }[];
  /** Instructions and their layers, oldest first; empty when the configuration is not that of an image. */
  history: { instruction: string; created: string | null; size: number | null }[];
  config: ImageConfig | null;
  images: { digest: string; size: number; platform: string | null; mediaType: string }[];
  referrers: Referrer[];
};

/** Tags of a repository, last pushed first. */
export async function listTags(services: ServiceContext, path: string): Promise<TagRow[]> {
  const repository = await requireRepository(services, path);
  const rows = await services.prisma.registryTag.findMany({
    where: { repositoryId: repository.id },
    orderBy: [{ pushedAt: "desc" }, { name: "asc" }],
    include: { manifest: { include: { children: { include: { child: { select: { size: true, contentSize: true } } } } } } },
  });
  const platforms = await platformsOf(
    services,
    rows.map((row) => row.manifest),
  );
  return rows.map(({ name, manifest, pushedBy, pushedAt, pulledAt }) => {
    const children = manifest.children.reduce((sum, { child }) => sum + child.size + Number(child.contentSize), 0);
    return {
      name,
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      sizeBytes: manifest.size + Number(manifest.contentSize) + children,
      platforms: platforms.get(manifest.id) ?? [],
      pushedBy,
      pushedAt: pushedAt.toISOString(),
      pulledAt: pulledAt?.toISOString() ?? null,
    };
  });
}

/** What is in an image, by tag or digest. @throws not_found */
export async function inspectManifest(services: ServiceContext, input: z.output<typeof manifestInput>): Promise<ManifestDetail> {
  const repository = await requireRepository(services, input.repository);
  const digest = digestSchema.safeParse(input.reference);
  const where = digest.success ? { digest: digest.data } : { tags: { some: { name: input.reference, repositoryId: repository.id } } };
  const manifest = await services.prisma.registryManifest.findFirst({
    where: { repositoryId: repository.id, ...where },
    include: { tags: true },
  });
  if (manifest === null) throw notFound("manifest", `${input.repository}@${input.reference}`);
  const facts = readManifestFacts(manifest.content, manifest.mediaType);
  const config = await readConfig(services, repository.id, facts);
  const history = config === null ? [] : historyOf(config, facts.layers);
  return {
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    artifactType: manifest.artifactType,
    subject: manifest.subject,
    annotations: facts.annotations,
    size: manifest.size + Number(manifest.contentSize),
    tags: manifest.tags.map((tag) => tag.name).sort(),
    pushedBy: manifest.pushedBy,
    pushedAt: manifest.pushedAt.toISOString(),
    layers: facts.layers.map((layer, index) => ({
      digest: layer.digest,
      mediaType: layer.mediaType,
      size: layer.size,
      instruction: instructionOf(config, index),
    })),
    history,
    config,
    images: facts.manifests.map(({ digest, size, platform, mediaType }) => ({ digest, size, platform, mediaType })),
    referrers: await listReferrers(services, repository.id, { subject: manifest.digest, artifactType: undefined }),
  };
}

function historyOf(config: ImageConfig, layers: readonly NamedContent[]): ManifestDetail["history"] {
  return alignHistory(config).map(({ entry, layerIndex }) => ({
    instruction: entry.created_by ?? entry.comment ?? "",
    created: entry.created ?? null,
    size: layerIndex === undefined ? null : (layers[layerIndex]?.size ?? null),
  }));
}

function instructionOf(config: ImageConfig | null, index: number): string | null {
  if (config === null) return null;
  return alignHistory(config).find(({ layerIndex }) => layerIndex === index)?.entry.created_by ?? null;
}
