import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readControlConfig } from "../../apps/control/src/server/env.ts";
import { startControl } from "../../apps/control/src/server/start-control.ts";
import { startTestControl, type TestControl } from "../support/control.ts";
import { until } from "../support/linked-agent.ts";

const POSTGRES = join(import.meta.dirname, "..", "..", "apps", "control", "src", "server", "postgres", "start-postgres.ts");

let control: TestControl;
beforeAll(async () => void (control = await startTestControl({ isFirstStart: true })));
afterAll(() => control.close());

describe("the start", () => {
  test("secrets are made at random, outside the database, for root alone", () => {
    const path = join(control.dir, "control", "secrets.json");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const secrets = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
    expect(new Set([secrets["authSecret"], secrets["postgresPassword"]]).size).toBe(2);
    expect(statSync(join(control.dir, "control", "postgres")).mode & 0o777).toBe(0o700);
  });

  test("a second control plane on the same data says so", async () => {
    const config = readControlConfig({ FLOTILLA_DATA: control.dir, FLOTILLA_LISTEN: "127.0.0.1:0" });
    await expect(startControl({ config, logger: silentLogger, version: "t" })).rejects.toThrow(/another control plane works on/);
    expect(await (await fetch(`${control.url}/healthz`)).text()).toBe("ok\n");
  });

  test("a port in use is said, and nothing is left running", async () => {
    const dir = mkdtempSync(join(tmpdir(), "flc-"));
    try {
      const config = readControlConfig({ FLOTILLA_DATA: dir, FLOTILLA_LISTEN: `127.0.0.1:${control.port}` });
      await expect(startControl({ config, logger: silentLogger, version: "t" })).rejects.toThrow(/EADDRINUSE/);
      expect(existsSync(join(dir, "control", "postgres", "postmaster.pid"))).toBe(false);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test("the metrics are Prometheus text", async () => {
    const text = await (await fetch(`${control.url}/metrics`)).text();
    expect(text).toMatch(/^flotilla_connected_hosts 0$/m);
    for (const line of text.trim().split("\n")) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+ [\d.e+-]+)$/);
  });
});

describe("the embedded Postgres", () => {
  test("it ends with a parent that was killed, and starts again on its data", async () => {
    const dir = mkdtempSync(join(tmpdir(), "flc-"));
    const directory = join(dir, "postgres");
    const logger = "{ debug() {}, info() {}, warn() {}, error() {}, child() { return this; } }";
    const source = `const { startPostgres } = await import(${JSON.stringify(POSTGRES)});
      const started = await startPostgres({ directory: ${JSON.stringify(directory)}, password: "p".repeat(43), logger: ${logger} });
      process.stdout.write("started\\n");
      process.stdin.once("data", async () => { await started.stop(); process.exit(0); });`;
    const run = async (): Promise<ReturnType<typeof spawn>> => {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      return child;
    };
    try {
      const first = await run();
      const pid = Number(readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n")[0]);
      first.kill("SIGKILL");
      await until(() => !readsAsPostgres(pid));
      const second = await run();
      const gone = new Promise((resolve) => second.once("exit", resolve));
      second.stdin?.write("stop\n");
      expect(await gone).toBe(0);
      expect(existsSync(join(directory, "postmaster.pid"))).toBe(false);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

function readsAsPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("postgres");
  } catch {
    return false;
  }
}
