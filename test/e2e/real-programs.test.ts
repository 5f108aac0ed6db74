// Real programs from Debian's packages: brought in, run, published, kept, on the local socket and through the control plane.
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, type CommandResult } from "../support/docker.ts";
import { freePort, startProduct, type Product } from "../support/product.ts";

let product: Product;

const PROGRAMS = [
  { image: "nginx", include: "nginx-light", cmd: '["nginx","-g","daemon off;"]' },
  { image: "redis", include: "redis-server", cmd: '["redis-server","--bind","0.0.0.0","--protected-mode","no","--dir","/data"]' },
] as const;

beforeAll(async () => {
  product = await startProduct({ withAdmin: true });
  await Promise.all(PROGRAMS.map((program) => bringIn(program)));
}, 600_000);
afterAll(async () => product.close());

async function bringIn({ image, include, cmd }: (typeof PROGRAMS)[number]): Promise<void> {
  const tar = join(product.dir, `${image}.tar`);
  const options = ["--variant=minbase", "--dpkgopt=force-unsafe-io", `--include=${include}`];
  const made = await runCommand(["mmdebstrap", ...options, "bookworm", tar], { timeoutMs: 300_000 });
  expect(made, made.stderr).toMatchObject({ exitCode: 0 });
  const imported = await product.docker(["import", "--change", `CMD ${cmd}`, tar, image], { timeoutMs: 120_000 });
  expect(imported, imported.stderr).toMatchObject({ exitCode: 0 });
}

type Docker = (args: readonly string[]) => Promise<CommandResult>;

const doors: [string, () => Docker][] = [
  ["the local socket", () => (args) => product.docker(args)],
  ["the control plane", () => (args) => product.dockerThroughControl(args)],
];

describe.each(doors)("through %s", (_name, open) => {
  async function ok(...args: string[]): Promise<string> {
    const result = await open()(args);
    expect(result, `docker ${args.join(" ")}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
    return result.stdout.trim();
  }

  test("nginx serves a page on its published port", async () => {
    const port = await freePort();
    await ok("run", "-d", "--name", "web", "-p", `127.0.0.1:${port}:80`, "nginx");
    await expect
      .poll(() => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text(), String), { timeout: 20_000 })
      .toContain("Welcome to nginx");
    expect(await ok("top", "web")).toContain("nginx: worker process");
    expect(await ok("stats", "--no-stream", "--format", "{{.Name}}", "web")).toBe("web");
    await ok("rm", "-f", "web");
  });

  test("redis keeps its data in a volume over rm and a new run", async () => {
    const port = await freePort();
    const start = (): Promise<string> =>
      ok("run", "-d", "--name", "store", "-p", `127.0.0.1:${port}:6379`, "-v", "redis-data:/data", "redis");
    await start();
    await expect.poll(() => redis(port, "PING"), { timeout: 20_000 }).toBe("+PONG");
    expect(await redis(port, "SET kept yes")).toBe("+OK");
    expect(await redis(port, "SAVE")).toBe("+OK");
    await ok("rm", "-f", "store");
    await start();
    await expect.poll(() => redis(port, "GET kept"), { timeout: 20_000 }).toBe("$3\r\nyes");
    expect(await ok("logs", "store")).toContain("Ready to accept connections");
    await ok("rm", "-f", "store");
    await ok("volume", "rm", "redis-data");
  });

  test("a shell in the container answers", async () => {
    await ok("run", "-d", "--name", "shell", "nginx");
    expect(await ok("exec", "shell", "cat", "/etc/debian_version")).toMatch(/^12/);
    const attached = await open()(["run", "--rm", "nginx", "bash", "-c", "echo $BASH_VERSION; exit 3"]);
    expect(attached).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^5\./) as string });
    await ok("rm", "-f", "shell");
  });
});

/** One inline command; resolves with the answer without its last line end, or with the error's text. */
function redis(port: number, line: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${line}\r\n`));
    let seen = "";
    socket.on("data", (chunk) => {
      seen += chunk.toString("utf8");
      const isWhole = seen.startsWith("$") ? seen.split("\r\n").length > 2 || seen.startsWith("$-1") : seen.endsWith("\r\n");
      if (isWhole) socket.end();
    });
    socket.on("error", (error) => resolve(String(error)));
    socket.on("close", () => resolve(seen.replace(/\r\n$/, "")));
  });
}
