// The images of examples/, built from Debian's packages and used as their READMEs say: real programs on the local socket
// and through the control plane.
import { chmodSync, cpSync, mkdirSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeControlBundle } from "../../scripts/bundle.ts";
import { build } from "../support/build.ts";
import { debianTar } from "../support/debian-root.ts";
import { type CommandOptions, type CommandResult, runCommand } from "../support/docker.ts";
import { IS_LONG } from "../support/is-long.ts";
import { ADMIN, freePort, startProduct, type Product } from "../support/product.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples");
/** Node.js of Debian takes as long to install as all of the others. */
const NAMES: readonly string[] = ["nginx", "redis", "postgres", ...(IS_LONG ? ["web"] : [])];
const BUILD_TIMEOUT = { timeoutMs: 300_000 };

let product: Product;

beforeAll(async () => {
  product = await startProduct({ withAdmin: true });
  const tar = await debianTar();
  await ok(["import", "--change", 'CMD ["bash"]', tar, "debian:bookworm"]);
  // At once, as several people on one host would.
  await Promise.all(NAMES.map((name) => buildExample(name)));
}, 600_000);
afterAll(async () => product.close());

type Docker = (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

const viaSocket: Docker = (args, options) => product.docker(args, options);
const viaControl: Docker = (args, options) => product.dockerThroughControl(args, options);

async function ok(args: readonly string[], docker: Docker = viaSocket): Promise<string> {
  const result = await docker(args, { timeoutMs: 120_000 });
  expect(result, `docker ${args.join(" ")}: ${result.stdout}${result.stderr}`).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

const inspect = (name: string, format: string): Promise<string> => ok(["inspect", "--format", format, name]);

async function buildExample(name: string, args: readonly string[] = []): Promise<string> {
  const context = join(EXAMPLES, name);
  const result = await product.docker(["build", "-t", `example-${name}`, ...args, context], {
    env: { DOCKER_BUILDKIT: "0" },
    ...BUILD_TIMEOUT,
  });
  expect(result.exitCode, `${name}: ${result.stdout}\n${result.stderr}`).toBe(0);
  return result.stdout;
}

/** The container is found well by its own HEALTHCHECK, which the engine runs. */
async function untilHealthy(name: string): Promise<void> {
  await expect.poll(() => inspect(name, "{{.State.Status}} {{.State.Health.Status}}"), { timeout: 60_000 }).toBe("running healthy");
}

async function sizeOf(image: string): Promise<number> {
  return Number(await ok(["image", "inspect", "--format", "{{.Size}}", image]));
}

test("a docker context that flotilla wrote leads to the host, with whatever version of the docker command", async () => {
  const home = join(product.dir, "somebody");
  const env = { XDG_CONFIG_HOME: home, DOCKER_CONFIG: join(home, "docker") };
  const flotilla = async (...args: string[]): Promise<string> => {
    const main = join(import.meta.dirname, "..", "..", "apps", "cli", "src", "main.ts");
    const result = await runCommand([process.execPath, "--disable-warning=ExperimentalWarning", main, ...args], { env });
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    return result.stdout;
  };
  await flotilla("login", product.url, "--token", ADMIN.token);
  expect(await flotilla("context", "local", "--headers")).toContain("docker context use flotilla-local");
  const names = ["--context", "flotilla-local", "info", "--format", "{{.Name}}"];
  expect(await runCommand(["docker", ...names], { env })).toMatchObject({ exitCode: 0, stdout: `${await ok(names.slice(2))}\n` });
  // Who has no token is told how to hand one over.
  const address = `tcp://${new URL(product.url).host}/docker/local`;
  const refused = await runCommand(["docker", "ps"], { env: { DOCKER_HOST: address, DOCKER_CONFIG: join(home, "none") } });
  expect(refused.stderr).toContain("flotilla context HOST --headers");
});

describe.each([
  ["the local socket", viaSocket],
  ["the control plane", viaControl],
] as const)("through %s", (_name, docker) => {
  const run = (...args: string[]): Promise<string> => ok(args, docker);

  test("nginx serves the page that the image brings, and logs to docker logs", async () => {
    const port = await freePort();
    await run("run", "-d", "--name", "page", "-p", `127.0.0.1:${port}:80`, "example-nginx");
    await untilHealthy("page");
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toContain("<h1>Served by nginx in a container</h1>");
    await expect.poll(() => run("logs", "page")).toContain('"GET / HTTP/1.1" 200');
    expect(await run("top", "page")).toContain("nginx: worker process");
    expect(await run("stats", "--no-stream", "--format", "{{.Name}}", "page")).toBe("page");
    await run("stop", "page");
    expect(await inspect("page", "{{.State.ExitCode}}")).toBe("0");
    await run("rm", "page");
  });

  test("redis runs as its user, answers PING, and keeps its data in a volume over rm and a new run", async () => {
    const port = await freePort();
    const start = (): Promise<string> =>
      run("run", "-d", "--name", "store", "-p", `127.0.0.1:${port}:6379`, "-v", "store:/data", "example-redis");
    await start();
    await untilHealthy("store");
    expect(await redis(port, "PING")).toBe("+PONG");
    expect(await run("exec", "store", "id", "-un")).toBe("redis");
    expect(await redis(port, "SET kept yes")).toBe("+OK");
    await run("rm", "-f", "store");
    await start();
    await untilHealthy("store");
    expect(await redis(port, "GET kept")).toBe("$3\r\nyes");
    await run("rm", "-f", "store");
    await run("volume", "rm", "store");
  });

  test("a shell in the container answers, and its exit code is the command's", async () => {
    await run("run", "-d", "--name", "shell", "example-nginx");
    expect(await run("exec", "shell", "cat", "/etc/debian_version")).toMatch(/^12/);
    const attached = await docker(["run", "--rm", "--entrypoint", "bash", "example-nginx", "-c", "echo $BASH_VERSION; exit 3"]);
    expect(attached).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^5\./) as string });
    await run("rm", "-f", "shell");
  });
});

test("PostgreSQL makes its cluster at the first start, answers SQL on its port, and finds the rows again", async () => {
  const port = await freePort();
  const refused = await product.docker(["run", "--rm", "example-postgres"]);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the first start needs a password") as string });
  const run = ["run", "-d", "--name", "db", "-p", `127.0.0.1:${port}:5432`, "-v", "db:/var/lib/postgresql"];
  await ok([...run, "-e", "POSTGRES_PASSWORD=secret", "example-postgres"]);
  await untilHealthy("db");
  const psql = ["run", "--rm", "--network", "host", "-e", "PGPASSWORD=secret", "example-postgres", "psql"];
  const sql = (text: string): Promise<string> => ok([...psql, "-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-Atc", text]);
  expect(await sql("select 6 * 7")).toBe("42");
  await sql("create table kept (word text); insert into kept values ('yes')");
  expect(await ok(["exec", "db", "stat", "-c", "%U %a", "/var/lib/postgresql/15"])).toBe("postgres 700");
  await ok(["stop", "db"]);
  expect((await product.docker(["logs", "db"])).stderr).toContain("ready to accept connections");
  expect(await inspect("db", "{{.State.ExitCode}}")).toBe("0");
  await ok(["rm", "db"]);
  await ok([...run, "example-postgres"]);
  await untilHealthy("db");
  expect(await sql("select word from kept")).toBe("yes");
  await ok(["rm", "-f", "db"]);
  await ok(["volume", "rm", "db"]);
});

function testWebApplication(): void {
  test("counts visits as nobody, without a shell, and ends at once when told to", async () => {
    const port = await freePort();
    await ok(["run", "-d", "--name", "web", "--hostname", "visits", "-p", `127.0.0.1:${port}:3000`, "example-web"]);
    await untilHealthy("web");
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/<a>`)).text();
    expect(await page()).toContain("<h1>Visit 1 to /%3Ca%3E</h1>");
    expect(await page()).toMatch(/Visit 2[\s\S]*Answered by visits/);
    expect(await ok(["exec", "web", "/usr/bin/node", "-p", "process.getuid()"])).toBe("65534");
    expect(await product.docker(["exec", "web", "sh"])).toMatchObject({ exitCode: 127 });
    await ok(["stop", "web"]);
    expect(await inspect("web", "{{.State.ExitCode}}")).toBe("0");
    await ok(["rm", "web"]);
  });

  test("is less than 60 % of what it would be in one stage", async () => {
    await buildExample("web", ["--target", "build", "-t", "example-web-build"]);
    // Put back by the cache: the line above has moved the name to the build stage.
    await buildExample("web");
    expect((await sizeOf("example-web")) / (await sizeOf("example-web-build"))).toBeLessThan(0.6);
  });
}
if (IS_LONG) describe("the Node web application in two stages", testWebApplication);

test.each(NAMES)("a second build of %s takes every step from the cache and gives the same image", async (name) => {
  const before = await ok(["image", "inspect", "--format", "{{.Id}}", `example-${name}`]);
  const output = await buildExample(name);
  const steps = output.split(/^Step \d+\/\d+ : /m).slice(1);
  expect(steps.length).toBeGreaterThan(5);
  expect(steps.filter((step) => !step.startsWith("FROM") && !step.includes(" ---> Using cache"))).toEqual([]);
  expect(await ok(["image", "inspect", "--format", "{{.Id}}", `example-${name}`])).toBe(before);
});

test("a changed page is a new image of which only the last steps are made", async () => {
  const { stdout, exitCode } = await build(
    product,
    { Dockerfile: `FROM example-nginx\nCOPY index.html /var/www/html/\n`, "index.html": "<h1>Changed</h1>" },
    ["-t", "changed"],
  );
  expect(exitCode, stdout).toBe(0);
  expect((await sizeOf("changed")) - (await sizeOf("example-nginx"))).toBeLessThan(10_000);
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

async function useOwnControlPlane(): Promise<void> {
  const context = join(product.dir, "control");
  await makeControlBundle(context);
  cpSync(join(EXAMPLES, "control"), context, { recursive: true });
  const built = await product.docker(["build", "-t", "flotilla-control", context], { env: { DOCKER_BUILDKIT: "0" }, ...BUILD_TIMEOUT });
  expect(built.exitCode, built.stdout + built.stderr).toBe(0);
  const tls = join(product.dir, "tls");
  mkdirSync(tls);
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", join(tls, "key.pem"), "-out", join(tls, "cert.pem")];
  const made = await runCommand(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", ...names, ...files]);
  expect(made.exitCode, made.stderr).toBe(0);
  chmodSync(join(tls, "key.pem"), 0o444);
  const port = await freePort();
  const variables = {
    FLOTILLA_URL: `https://127.0.0.1:${port}`,
    FLOTILLA_TLS_CERT: "/tls/cert.pem",
    FLOTILLA_TLS_KEY: "/tls/key.pem",
    FLOTILLA_ADMIN_EMAIL: ADMIN.email,
    FLOTILLA_ADMIN_PASSWORD: ADMIN.password,
    FLOTILLA_ADMIN_TOKEN: ADMIN.token,
  };
  const env = Object.entries(variables).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  const places = ["-p", `127.0.0.1:${port}:7420`, "-v", "flotilla:/var/lib/flotilla", "-v", `${tls}:/tls:ro`];
  const start = (): Promise<string> => ok(["run", "-d", "--name", "flotilla", ...places, ...env, "flotilla-control"]);
  await start();
  await untilHealthy("flotilla");
  expect(await ok(["exec", "flotilla", "id", "-un"])).toBe("flotilla");
  const bearer = { authorization: `Bearer ${ADMIN.token}` };
  expect(await httpsGet(port, "/sign-in")).toMatchObject({ status: 200, body: expect.stringContaining("<html") as string });
  expect(await httpsGet(port, "/api/trpc/me.get", bearer)).toMatchObject({
    status: 200,
    body: expect.stringContaining(ADMIN.email) as string,
  });
  // The database is in the volume: a new container knows the administrator.
  await ok(["rm", "-f", "flotilla"]);
  await start();
  await untilHealthy("flotilla");
  expect(await httpsGet(port, "/api/trpc/hosts.list", bearer)).toMatchObject({ status: 200 });
  await ok(["stop", "flotilla"]);
  expect(await inspect("flotilla", "{{.State.ExitCode}}")).toBe("0");
  await ok(["rm", "flotilla"]);
  await ok(["volume", "rm", "flotilla"]);
}
if (IS_LONG)
  test("Flotilla's own control plane, built by Flotilla, serves its pages and its API as nobody's root", useOwnControlPlane, 300_000);

type Answer = { status: number | undefined; body: string };

/** The certificate is the test's own, which nobody signed. */
function httpsGet(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers, rejectUnauthorized: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString("utf8") }));
    });
    sent.once("error", reject);
    sent.end();
  });
}
