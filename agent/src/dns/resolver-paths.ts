import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Files of an instance's resolver, in its run directory. */
export type ResolverPaths = {
  dir: string;
  /** What it answers from (state-file.ts). */
  state: string;
  /** Where the agent finds it. */
  socket: string;
  /** What it has to say when something is wrong. */
  log: string;
};

export function resolverPaths(runDir: string): ResolverPaths {
  const dir = join(runDir, "dns");
  return { dir, state: join(dir, "state.jsonl"), socket: join(dir, "control.sock"), log: join(dir, "resolver.log") };
}

export function makeResolverDirectory(paths: ResolverPaths): void {
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 });
}
