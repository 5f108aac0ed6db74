// The agent's own processes. From a checkout they may run as the sources that they are; a host runs them as scripts/bundle-agent.ts
// writes them, where this file is in a chunk beside their directories: the same way leads to them in both.
import { extname } from "node:path";

export type Program = "archive/worker/main" | "archive/worker/decompress-main" | "dns/resolver-main";

let base = import.meta.url;

/** The module that a process of this program is started with. */
export function programUrl(program: Program): URL {
  return new URL(`./${program}${extname(base)}`, base);
}

/** Starts programs from beside another module from now on: tests run the engine from its sources, and its programs from the bundle. */
export function startProgramsBeside(module: URL): void {
  base = module.href;
}
