import { FlotillaError } from "@flotilla/core";
import { digestSchema, type ImageConfig, imageConfigSchema } from "@flotilla/image";
import type { ServiceContext } from "../context.ts";
import type { ManifestFacts } from "./manifest-facts.ts";
import { findBlob } from "./read-blob.ts";

/** A configuration that is larger is not read: nothing that builds images writes such a one. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** The configuration of an image; null for one that is too large, no longer here, or not that of an image. */
export async function readConfig(services: ServiceContext, repositoryId: string, facts: ManifestFacts): Promise<ImageConfig | null> {
  const { config } = facts;
  if (config === null || config.size > MAX_CONFIG_BYTES) return null;
  const digest = digestSchema.parse(config.digest);
  try {
    const blob = await findBlob(services, repositoryId, digest);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await services.registry.storage.read(blob.storageKey)) chunks.push(chunk);
    return imageConfigSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8"))).data ?? null;
  } catch (error) {
    // The configuration of an artifact is often not JSON at all.
    if (error instanceof SyntaxError || error instanceof FlotillaError) return null;
    throw error;
  }
}
