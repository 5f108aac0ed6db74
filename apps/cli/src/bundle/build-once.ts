// What is built from sources on this machine, once after each change of them: by whoever needs it first, while others wait.
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { ROOT } from "../paths.ts";

const LOCK_POLL_MS = 200;

export type Sources = { patterns: readonly string[]; isLeftOut: RegExp };

export type Build = {
  sources: Sources;
  /** Two files below the root: one that every whole build has, and one that says which sources it is of. */
  made: string;
  stamp: string;
  /** Said before it begins. */
  notice: string;
  /** Makes it. @throws FlotillaError with the tool's words. */
  run: () => Promise<void>;
};

/** Builds what is not there, or is of other sources; of several that ask at once one builds. @throws what `run` throws. */
export async function buildOnce(build: Build, note: (text: string) => void): Promise<void> {
  if (isMade(build)) return;
  const lock = await takeLock(build.stamp);
  try {
    if (isMade(build)) return;
    note(build.notice);
    const digest = digestSources(build.sources);
    await build.run();
    writeFileSync(join(ROOT, build.stamp), digest);
  } finally {
    lock.release();
  }
}

/** Hex SHA-256 over the names and contents of source files. */
export function digestSources({ patterns, isLeftOut }: Sources): string {
  const hash = createHash("sha256").update(process.version);
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT, exclude: (path) => path.includes("node_modules") }));
  for (const file of files.filter((path) => !isLeftOut.test(path)).sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update("\0");
  return hash.digest("hex");
}

function isMade({ made, stamp, sources }: Build): boolean {
  const path = join(ROOT, stamp);
  return existsSync(join(ROOT, made)) && existsSync(path) && readFileSync(path, "utf8") === digestSources(sources);
}

/** Waits for a lock of this checkout: an abstract unix socket (unix(7)), which the kernel frees when its owner ends in whatever way. */
export async function takeLock(name: string): Promise<{ release(): void }> {
  const path = `\0flotilla-build-${createHash("sha256").update(join(ROOT, name)).digest("hex").slice(0, 32)}`;
  for (;;) {
    const server = createServer();
    const isTaken = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ path }, () => resolve(true));
    });
    if (isTaken) return { release: () => void server.close() };
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}
