import { run } from "../host/run.ts";

export type RuntimeFacts = { name: string; path: string; version: string };

/** Asks an OCI runtime what it is: `crun version 1.8.1`. Its path does not say it, a sealed copy in memory has none. */
export async function readRuntimeFacts(path: string): Promise<RuntimeFacts> {
  const { stdout } = await run({ argv: [path, "--version"] });
  const [, name = "", version = ""] = /^(\S+) version (\S+)/.exec(stdout) ?? [];
  return { name, path, version };
}
