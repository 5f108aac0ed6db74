import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  createReadStream,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Output } from "../output.ts";
import { ROOT, VERSION } from "../paths.ts";
import { agentMain } from "./agent-program.ts";
import { digestSources } from "./build-once.ts";
import { copyProgramTree, planProgramTree } from "./program-tree.ts";

const execute = promisify(execFile);

/** What the control plane serves to hosts: a tar.gz, and beside it what `apps/control/src/server/install` parses. */
const DIRECTORY = join(ROOT, "dist", "agent");
const SOURCES = {
  patterns: ["agent/{src/**/*.ts,*.json}", "apps/cli/src/**/*.ts", "packages/*/{src/**/*.ts,package.json}", "pnpm-lock.yaml"],
  isLeftOut: /\.test\.ts$|\/generated\//,
};
const LAUNCHER = `#!/bin/sh
# The flotilla command of this installation, with the Node that came with it.
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" --disable-warning=ExperimentalWarning "$here/app/apps/cli/src/main.ts" "$@"
`;

/**
 * Makes the bundle of the agent when its sources are not those of the last one: agent, `flotilla` command, their packages
 * and this Node, which need nothing else of a machine but the Debian packages that the installer brings. Takes some ten seconds.
 */
export async function ensureAgentBundle(note: (text: string) => void): Promise<void> {
  const manifestPath = join(DIRECTORY, `linux-${process.arch}.json`);
  const sources = digestSources(SOURCES);
  if (isMade(manifestPath, sources)) return;
  note("packing the agent for other hosts (once after each change of it)");
  mkdirSync(DIRECTORY, { recursive: true });
  const scratch = mkdtempSync(join(DIRECTORY, ".new-"));
  try {
    await agentMain(note);
    const tree = join(scratch, "tree");
    mkdirSync(tree);
    copyProgramTree({ root: ROOT, tree: planProgramTree(ROOT, ["apps/cli"]), out: join(tree, "app") });
    cpSync(join(ROOT, "package.json"), join(tree, "app", "package.json"));
    cpSync(process.execPath, join(tree, "node"));
    writeFileSync(join(tree, "flotilla"), LAUNCHER, { mode: 0o755 });
    const archive = join(scratch, "agent.tar.gz");
    const order = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"];
    await execute("tar", ["-C", tree, ...order, "-I", "gzip -n -6", "-cf", archive, "."]);
    const sha256 = await digestFile(archive);
    const file = `flotilla-agent-${VERSION}-${sha256.slice(0, 12)}-linux-${process.arch}.tar.gz`;
    renameSync(archive, join(DIRECTORY, file));
    const manifest = {
      version: VERSION,
      architecture: process.arch,
      file,
      sha256,
      sizeBytes: statSync(join(DIRECTORY, file)).size,
      debianPackages: readDebianPackages(),
      sources,
    };
    const written = join(scratch, "manifest.json");
    writeFileSync(written, `${JSON.stringify(manifest, undefined, 2)}\n`);
    renameSync(written, manifestPath);
    for (const old of globSync(`flotilla-agent-*-linux-${process.arch}.tar.gz`, { cwd: DIRECTORY })) {
      if (old !== file) rmSync(join(DIRECTORY, old), { force: true });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What the programs of the agent call, by Debian package. */
function readDebianPackages(): string[] {
  const packages = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(join(ROOT, "agent", "debian-packages.json"), "utf8")));
  return [...new Set(Object.values(packages))].sort();
}

/** Packs it beside what runs; without it the control plane tells other machines to try again. */
export function packAgent(output: Output): void {
  ensureAgentBundle((text) => output.note(text)).catch((error: unknown) =>
    output.note(`the agent for other hosts could not be packed: ${toFlotillaError(error).message}`),
  );
}

function isMade(manifestPath: string, sources: string): boolean {
  if (!existsSync(manifestPath)) return false;
  const made = JSON.parse(readFileSync(manifestPath, "utf8")) as { sources?: unknown; file?: unknown };
  return made.sources === sources && typeof made.file === "string" && existsSync(join(dirname(manifestPath), made.file));
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
