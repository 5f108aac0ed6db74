import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Where `flotilla up`, `flotilla control` and the control plane's image put the agent for hosts (apps/cli/src/bundle). */
export const BUNDLE_DIRECTORY = join(import.meta.dirname, "..", "..", "..", "..", "..", "dist", "agent");

const bundleManifest = z.object({
  version: z.string().regex(/^[0-9A-Za-z.+-]{1,64}$/),
  architecture: z.enum(["x64", "arm64"]),
  file: z.string().regex(/^flotilla-agent-[0-9A-Za-z.+-]{1,100}\.tar\.gz$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(1),
  debianPackages: z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]{1,100}$/)).min(1),
});
export type AgentBundle = z.output<typeof bundleManifest>;

/** The bundle for an architecture (Node's word); undefined while there is none, or none that can be trusted. */
export function readAgentBundle(architecture: string, directory: string = BUNDLE_DIRECTORY): AgentBundle | undefined {
  try {
    const parsed = bundleManifest.safeParse(JSON.parse(readFileSync(join(directory, `linux-${architecture}.json`), "utf8")));
    return parsed.success && parsed.data.architecture === architecture ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
