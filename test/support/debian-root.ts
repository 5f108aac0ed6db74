import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "../../apps/cli/src/bundle/build-once.ts";
import { runCommand } from "./docker.ts";

const DIRECTORY = join(import.meta.dirname, "..", "..", ".test-output");

/**
 * A small Debian with apt and curl as a tar, made by mmdebstrap once for all tests of a run: with this machine's ways to its
 * mirror, and without an fsync for each file that dpkg writes (as Debian's own container images).
 */
export async function debianTar(): Promise<string> {
  // By day, as the mirror changes; scripts/test.ts clears the directory of other days' files.
  const tar = join(DIRECTORY, `debian-${new Date().toISOString().slice(0, 10)}.tar`);
  const lock = await takeLock("debian");
  try {
    if (!existsSync(tar)) await make(tar);
  } finally {
    lock.release();
  }
  return tar;
}

/** The files of Debian's packages and of what they need, unpacked and not configured, as a tar: programs to run, no system. Made once a day. */
export async function debianFiles(packages: readonly [string, ...string[]]): Promise<string> {
  const tar = join(DIRECTORY, `files-${packages.join("-")}-${new Date().toISOString().slice(0, 10)}.tar`);
  const lock = await takeLock("debian");
  try {
    if (existsSync(tar)) return tar;
    mkdirSync(DIRECTORY, { recursive: true });
    const made = await runCommand(["mmdebstrap", "--variant=extract", `--include=${packages.join(",")}`, "bookworm", `${tar}.new.tar`], {
      timeoutMs: 300_000,
    });
    if (made.exitCode !== 0) throw new Error(`mmdebstrap: ${made.stderr}`);
    renameSync(`${tar}.new.tar`, tar);
    return tar;
  } finally {
    lock.release();
  }
}

async function make(tar: string): Promise<void> {
  const scratch = join(DIRECTORY, "debian-new");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    const dump = await runCommand(["apt-config", "dump", "Acquire"]);
    const machine = dump.stdout.split("\n").filter((line) => /^Acquire::(https?::|Check-)\S+ "[^"]+";$/.test(line));
    const aptConf = join(scratch, "99machine");
    const dpkgConf = join(scratch, "unsafe-io");
    writeFileSync(aptConf, `${machine.join("\n")}\n`);
    writeFileSync(dpkgConf, "force-unsafe-io\n");
    const hooks = [
      `--setup-hook=mkdir -p "$1/etc/dpkg/dpkg.cfg.d"`,
      `--setup-hook=upload ${dpkgConf} /etc/dpkg/dpkg.cfg.d/unsafe-io`,
      `--customize-hook=upload ${aptConf} /etc/apt/apt.conf.d/99machine`,
    ];
    const made = await runCommand(
      ["mmdebstrap", "--variant=apt", "--include=ca-certificates,curl", ...hooks, "bookworm", join(scratch, "root.tar")],
      { timeoutMs: 300_000 },
    );
    if (made.exitCode !== 0) throw new Error(`mmdebstrap: ${made.stderr}`);
    renameSync(join(scratch, "root.tar"), tar);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
