import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CommandOptions, CommandResult } from "./docker.ts";

export type BuildTarget = { dir: string; docker(args: readonly string[], options?: CommandOptions): Promise<CommandResult> };

/** A directory with these files, in the agent's own scratch directory. */
export function makeContext(target: Pick<BuildTarget, "dir">, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(target.dir, "context-"));
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return directory;
}

/** `docker build` by the classic protocol. */
export async function build(
  target: BuildTarget,
  context: string | Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<CommandResult> {
  const directory = typeof context === "string" ? context : makeContext(target, context);
  return await target.docker(["build", ...args, directory], { env: { DOCKER_BUILDKIT: "0" } });
}

/** What a shell in a new container of an image says, trimmed. */
export async function shell(target: BuildTarget, image: string, script: string): Promise<string> {
  const result = await target.docker(["run", "--rm", "--entrypoint", "sh", image, "-c", script]);
  if (result.exitCode !== 0) throw new Error(`docker run ${image}: ${result.stderr}`);
  return result.stdout.trim();
}

/** One field of an image, as JSON. */
export async function imageField(target: BuildTarget, image: string, path: string): Promise<unknown> {
  const result = await target.docker(["image", "inspect", "--format", `{{json ${path}}}`, image]);
  if (result.exitCode !== 0) throw new Error(`docker image inspect ${image}: ${result.stderr}`);
  return JSON.parse(result.stdout);
}
