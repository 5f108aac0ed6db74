import type { RunStep } from "@flotilla/dockerfile";
import type { StepScope } from "./build-job.ts";
import { contextDigest } from "./copy-sources.ts";
import { openSource } from "./source-mounts.ts";

/** What a RUN sees of other trees by its bind mounts, as a text. Caches are no input: what they hold must not matter. */
export async function runContent(scope: StepScope, step: RunStep): Promise<string> {
  const seen: string[] = [];
  for (const mount of step.mounts) {
    if (mount.type !== "bind") continue;
    if (mount.from === undefined) {
      seen.push(contextDigest(scope.job.index, [{ path: "", name: "" }]));
      continue;
    }
    const source = await openSource(scope, mount.from);
    seen.push(source.chainId ?? "");
    await source.close();
  }
  return JSON.stringify(seen);
}
