import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlotillaError, type Logger, toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import { type CgroupLayout, takeUnifiedControllers } from "../host/cgroup.ts";
import { sealProgram } from "../host/sealed-program.ts";
import { describeFailure, MINIMAL_ENV, run, type RunResult } from "../host/run.ts";

/** Finds a program in the agent's fixed search path. */
export function findProgram(name: string): string | undefined {
  for (const dir of (MINIMAL_ENV["PATH"] ?? "").split(":")) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * The OCI runtime to use: crun (three times quicker), else runc. Each is asked by creating a container whose program
 * does not exist: one that gets as far as looking for it can run containers here.
 * @throws unavailable with every candidate's reason.
 */
export async function chooseRuntime(layout: CgroupLayout, cgroupParent: string, logger: Logger): Promise<string> {
  const reasons: string[] = [];
  for (const name of ["crun", "runc"]) {
    const path = findProgram(name);
    if (path === undefined) {
      reasons.push(`${name} is not installed`);
      continue;
    }
    if (name === "crun") prepareForCrun(layout, logger);
    const refusal = await probe(path, cgroupParent);
    if (refusal === undefined) return path;
    logger.warn("container runtime refuses to work on this machine", { runtime: path, reason: refusal });
    reasons.push(`${name}: ${refusal}`);
  }
  throw new FlotillaError("unavailable", `no container runtime works here (install the Debian package crun): ${reasons.join("; ")}`);
}

/** The runtime from memory, where it need not protect its own file at each start; its path as it is when it cannot run there. */
export async function sealRuntime(runtimePath: string, logger: Logger): Promise<string> {
  try {
    const sealed = sealProgram(runtimePath);
    // `vm.memfd_noexec` and security modules may forbid it.
    await run({ argv: [sealed, "--version"], timeoutMs: 20_000 });
    return sealed;
  } catch (error) {
    logger.info("the container runtime is run from its file", { runtime: runtimePath, reason: toFlotillaError(error).message });
    return runtimePath;
  }
}

function prepareForCrun(layout: CgroupLayout, logger: Logger): void {
  try {
    const taken = takeUnifiedControllers(layout);
    if (taken.length > 0) logger.info("mounted controllers of the hybrid cgroup tree as v1, which crun asks for", { controllers: taken });
  } catch (error) {
    logger.warn("cannot mount controllers of the hybrid cgroup tree as v1", { error: toFlotillaError(error).message });
  }
}

const WORKS = /executable file .*not found|no such file or directory/i;

async function probe(runtimePath: string, cgroupParent: string): Promise<string | undefined> {
  const dir = mkdtempSync(join(tmpdir(), "flotilla-probe-"));
  try {
    mkdirSync(join(dir, "rootfs"));
    const id = "probe";
    writeFileSync(
      join(dir, "config.json"),
      JSON.stringify({
        ociVersion: "1.0.2",
        process: { user: { uid: 0, gid: 0 }, args: ["/flotilla-probe"], env: [], cwd: "/" },
        root: { path: "rootfs" },
        mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
        linux: { namespaces: [{ type: "mount" }, { type: "pid" }], cgroupsPath: `${cgroupParent}/${id}` },
      }),
    );
    const argv = (...args: string[]): [string, ...string[]] => [runtimePath, `--root=${join(dir, "state")}`, ...args];
    try {
      await run({ argv: argv("create", "--bundle", dir, id), timeoutMs: 20_000 });
    } catch (error) {
      const result = z
        .object({ result: z.custom<RunResult>((value) => typeof value === "object") })
        .safeParse(toFlotillaError(error).details);
      const reason = result.success ? describeFailure(result.data.result) : toFlotillaError(error).message;
      return WORKS.test(reason) ? undefined : reason;
    } finally {
      await run({ argv: argv("delete", "--force", id), okExitCodes: [0, 1] });
    }
    return undefined;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
