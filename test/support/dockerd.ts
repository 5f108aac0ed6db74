import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../agent/src/host/run.ts";
import { docker } from "./docker.ts";

export type Dockerd = { host: string; dir: string; close(): Promise<void> };

/** Debian's dockerd as a client of registries: without bridge and firewall rules, so that it leaves the machine's network alone. */
export async function startDockerd(): Promise<Dockerd> {
  const dir = mkdtempSync(join(tmpdir(), "fld-"));
  const host = `unix://${join(dir, "docker.sock")}`;
  const config = join(dir, "daemon.json");
  writeFileSync(config, "{}");
  const argv = [
    "--config-file",
    config,
    "--data-root",
    join(dir, "data"),
    "--exec-root",
    join(dir, "exec"),
    "--pidfile",
    join(dir, "pid"),
    "-H",
    host,
  ];
  const child = spawn("dockerd", [...argv, "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"], {
    stdio: "ignore",
  });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const close = async (): Promise<void> => {
    child.kill("SIGTERM");
    await exited;
    // Where mounts of the machine are shared with nobody, dockerd mounts its data onto themselves, and leaves that.
    await run({ argv: ["umount", "--recursive", join(dir, "data")], okExitCodes: [0, 1, 32] });
    rmSync(dir, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 150; attempt++) {
    if ((await docker(host, ["version"])).exitCode === 0) return { host, dir, close };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await close();
  throw new Error("dockerd did not answer in 30 s");
}
