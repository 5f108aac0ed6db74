import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMachineState } from "../support/leftovers.ts";
import { startTestAgent } from "../support/agent.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";

test("two instances beside each other: the end of one touches nothing of the other", async () => {
  const stays = await startTestAgent();
  try {
    const goes = await startTestAgent();
    expect((await stays.docker(["run", "-d", "--name", "same", "busybox", "sleep", "1000"])).exitCode).toBe(0);
    const before = await ownedBy(stays.dir);
    expect((await goes.docker(["run", "-d", "--name", "same", "busybox", "sleep", "1000"])).exitCode).toBe(0);
    expect((await goes.docker(["ps", "-q"])).stdout.trim().split("\n")).toHaveLength(1);
    const reaches = ["run", "--rm", "busybox", "ping", "-c1", "-W1", await stays.inspect("same", "{{.NetworkSettings.IPAddress}}")];
    await goes.close();
    expect(await ownedBy(stays.dir)).toEqual(before);
    expect(await stays.inspect("same", "{{.State.Running}}")).toBe("true");
    expect((await stays.docker(reaches)).exitCode).toBe(0);
  } finally {
    await stays.close();
  }
});

/** Mounts and processes of an instance. */
async function ownedBy(dir: string): Promise<string[]> {
  const { mounts, processes } = await readMachineState();
  return [...mounts, ...processes].filter((line) => line.includes(dir)).sort();
}

test("a full disk: clear errors, nothing left, containers run on, and all is well once there is space", async () => {
  const mount = mkdtempSync(join(tmpdir(), "flfull-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", mount]);
  const outside = process.env["TMPDIR"];
  try {
    process.env["TMPDIR"] = mount;
    const agent = await startTestAgent();
    if (outside === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = outside;
    const tar = await makeBusyboxTar(mount);
    const filler = join(mount, "filler");
    try {
      expect((await agent.docker(["run", "-d", "--name", "old", "busybox", "sleep", "1000"])).exitCode).toBe(0);
      fill(filler);
      const refused = [
        await agent.docker(["run", "--name", "new", "busybox", "true"]),
        await agent.docker(["import", tar, "other:latest"]),
        await agent.docker(["volume", "create", "new"]),
      ].filter(({ exitCode }) => exitCode !== 0);
      expect(refused.length).toBeGreaterThan(0);
      for (const { stderr } of refused) expect(stderr).toMatch(/no space left|disk is full/i);
      expect(await agent.inspect("old", "{{.State.Running}}")).toBe("true");
      rmSync(filler);
      await agent.docker(["rm", "-f", "new"]);
      await agent.docker(["volume", "rm", "-f", "new"]);
      expect((await agent.docker(["run", "--rm", "busybox", "echo", "again"])).stdout).toBe("again\n");
      expect((await agent.docker(["ps", "-aq"])).stdout.trim().split("\n")).toHaveLength(1);
      expect((await agent.docker(["images", "-q", "other"])).stdout).toBe("");
    } finally {
      rmSync(filler, { force: true });
      await agent.close();
    }
  } finally {
    execFileSync("umount", ["-l", mount]);
    rmdirSync(mount);
  }
});

/** Writes until nothing more fits. */
function fill(path: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  const file = openSync(path, "w");
  try {
    for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 16)) writeUntilFull(file, Buffer.alloc(size));
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
