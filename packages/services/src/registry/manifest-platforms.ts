import type { ServiceContext } from "../context.ts";
import { formatPlatform, type ManifestFacts, readManifestFacts } from "./manifest-facts.ts";
import { readConfig } from "./read-config.ts";

/** A manifest's row. `platform` is null until its configuration was read, and "" when that names none. */
type ManifestRow = {
  id: string;
  repositoryId: string;
  mediaType: string;
  content: Uint8Array;
  platform: string | null;
};

/** Configurations that one listing reads; what is left over is read by the next. */
const MAX_READS = 64;
const READS_AT_ONCE = 8;

/**
 * Platforms by the id of the manifest: an index says them itself, an image in its configuration. That is read once and kept
 * in the row, because it never changes.
 */
export async function platformsOf(services: ServiceContext, rows: readonly ManifestRow[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const unread = new Map<string, { row: ManifestRow; facts: ManifestFacts }>();
  for (const row of rows) {
    if (row.platform !== null) found.set(row.id, row.platform === "" ? [] : [row.platform]);
    else {
      const facts = readManifestFacts(row.content, row.mediaType);
      if (facts.isIndex) found.set(row.id, platformsOfIndex(facts));
      else unread.set(row.id, { row, facts });
    }
  }
  const reads = [...unread.values()].slice(0, MAX_READS);
  for (let at = 0; at < reads.length; at += READS_AT_ONCE) {
    await Promise.all(
      reads.slice(at, at + READS_AT_ONCE).map(async ({ row, facts }) => {
        const platform = await readPlatform(services, row, facts);
        found.set(row.id, platform === "" ? [] : [platform]);
      }),
    );
  }
  return found;
}

function platformsOfIndex(facts: ManifestFacts): string[] {
  return facts.manifests.flatMap(({ platform }) => (platform === null || isUnknown(platform) ? [] : [platform]));
}

async function readPlatform(services: ServiceContext, row: ManifestRow, facts: ManifestFacts): Promise<string> {
  const config = await readConfig(services, row.repositoryId, facts);
  const said = config === null ? "" : formatPlatform(config);
  const platform = isUnknown(said) ? "" : said.slice(0, 300);
  // Not `update`: the manifest may have been deleted meanwhile.
  await services.prisma.registryManifest.updateMany({ where: { id: row.id }, data: { platform } });
  return platform;
}

/** Attestations of BuildKit are for "unknown/unknown". */
function isUnknown(platform: string): boolean {
  return platform.startsWith("unknown/");
}
