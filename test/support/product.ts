import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../agent/src/config.ts";
import { docker, type CommandOptions, type CommandResult, tokenEnvironment } from "./docker.ts";
import { leftOf } from "./leftovers.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const START_TIMEOUT_MS = 240_000;

export const ADMIN = {
  email: "admin@example.test",
  password: "correct horse battery",
  token: "flt_test_0123456789abcdefghijklmnopqrstuvwxyz",
} as const;

export type Product = {
  dir: string;
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** One-time set-up link, when it was started without an administrator. */
  setupLink(): string | undefined;
  socketHost: string;
  /** docker on the agent's own socket. */
  docker(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** docker through the control plane, as the administrator's API token. */
  dockerThroughControl(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  output(): string;
  close(): Promise<void>;
};

/** All of it as `npm start` runs it: Postgres, control plane, dashboard, this machine's agent; on directories and a port of its own. */
export async function startProduct(options: { withAdmin: boolean }): Promise<Product> {
  const dir = mkdtempSync(join(tmpdir(), "flp-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const flotilla = {
    FLOTILLA_DATA: join(dir, "data"),
    FLOTILLA_RUN: join(dir, "run"),
    FLOTILLA_LISTEN: `127.0.0.1:${port}`,
    FLOTILLA_LOG: "info",
    ...COMPILE_CACHE,
  };
  const admin = options.withAdmin
    ? { FLOTILLA_ADMIN_EMAIL: ADMIN.email, FLOTILLA_ADMIN_PASSWORD: ADMIN.password, FLOTILLA_ADMIN_TOKEN: ADMIN.token }
    : {};
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(ROOT, "apps/cli/src/main.ts"), "up"], {
    cwd: ROOT,
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, HOME: "/root", ...flotilla, ...admin },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const output = (): string => Buffer.concat(chunks).toString("utf8");
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const config = readConfig(flotilla);
  const socketHost = `unix://${config.socketPath}`;
  const product: Product = {
    dir,
    url,
    setupLink: () => /https?:\/\/\S*\/setup#\S+/.exec(output())?.[0],
    socketHost,
    docker: (args, commandOptions) => docker(socketHost, args, commandOptions),
    dockerThroughControl: async (args, commandOptions) =>
      docker(`tcp://127.0.0.1:${port}/docker/local`, args, {
        ...commandOptions,
        env: { ...(await tokenEnvironment(ADMIN.token, join(dir, "docker-with-token"))), ...commandOptions?.env },
      }),
    output,
    close: async () => {
      if (child.exitCode === null) {
        const ids = (await docker(socketHost, ["ps", "-aq"])).stdout.split("\n").filter((id) => id !== "");
        if (ids.length > 0) await docker(socketHost, ["rm", "-f", "-v", ...ids]);
        child.kill("SIGTERM");
      }
      await gone;
      const left = await leftOf([config.instance, `fl${config.instance.slice(0, 6)}`, dir]);
      if (left.length > 0) throw new Error(`Flotilla left behind:\n  ${left.join("\n  ")}\n${output().slice(-3000)}`);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await untilReady(product, () => child.exitCode !== null);
  return product;
}

async function untilReady(product: Product, hasEnded: () => boolean): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const isReady = await fetch(`${product.url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady && (await product.docker(["version"])).exitCode === 0) return;
    if (hasEnded() || performance.now() > until) throw new Error(`Flotilla does not come up:\n${product.output().slice(-6000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A TCP port of 127.0.0.1 that nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
