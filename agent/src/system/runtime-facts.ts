import { basename } from "node:path";
import { run } from "../host/run.ts";

export type RuntimeFacts = { name: string; path: string; version: string };

/** Asks an OCI runtime for its version: `crun version 1.8.1` → 1.8.1. */
export async function readRuntimeFacts(path: string): Promise<RuntimeFacts> {
  const { stdout } = await run({ argv: [path, "--version"] });
  return { name: basename(path), path, version: /version (\S+)/.exec(stdout)?.[1] ?? "" };
}
