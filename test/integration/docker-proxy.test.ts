import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { echoEngine, type EngineHandler, type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";

let control: TestControl;
let agent: LinkedAgent;
/** Streams of the engine that are open, by path. */
const open = new Map<string, number>();
const sockets: Socket[] = [];

const engine: EngineHandler = (stream, headers) => {
  const path = (headers[":path"] ?? "").split("?")[0] ?? "";
  open.set(path, (open.get(path) ?? 0) + 1);
  stream.on("close", () => open.set(path, (open.get(path) ?? 1) - 1));
  if (path.endsWith("/logs")) {
    stream.on("error", () => undefined);
    stream.respond({ ":status": 200, "content-type": "application/vnd.docker.raw-stream" });
    const timer = setInterval(() => stream.write("line\n"), 20);
    stream.on("close", () => clearInterval(timer));
    return;
  }
  if (path.endsWith("/containers/json")) {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end(JSON.stringify(["x".repeat(1_000_000)]));
    return;
  }
  if (path.endsWith("/load")) {
    const hash = createHash("sha256");
    stream.on("data", (chunk: Buffer) => hash.update(chunk));
    stream.on("end", () => {
      stream.respond({ ":status": 200, "content-type": "application/json" });
      stream.end(JSON.stringify({ digest: hash.digest("hex") }));
    });
    return;
  }
  if (path.endsWith("/archive") && headers[":method"] === "PUT") {
    // Answers before it has read anything, as an engine does that refuses an upload.
    stream.on("error", () => undefined);
    stream.respond({ ":status": 403, "content-type": "application/json" });
    stream.end(JSON.stringify({ message: "container rootfs is marked read-only" }));
    stream.once("finish", () => stream.close(0));
    return;
  }
  echoEngine(stream, headers);
};

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  agent = await startLinkedAgent(control, { name: "web-1", engine });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  await agent.close();
  await control.close();
});

const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
const call = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${control.url}/docker${path}`, init);

/** One connection by hand: what `docker attach` does. */
function upgrade(
  path: string,
  options: { token?: string; body?: string; headers?: string } = {},
): { socket: Socket; text: () => string; ended: Promise<void> } {
  const body = options.body ?? "";
  const socket = connect({ port: control.port, host: "127.0.0.1", allowHalfOpen: true });
  sockets.push(socket);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.on("end", resolve);
    socket.on("close", () => resolve());
  });
  const authorization = `Authorization: Bearer ${options.token ?? ADMIN_TOKEN}\r\n`;
  socket.write(
    `POST /docker${path} HTTP/1.1\r\nHost: x\r\n${authorization}Connection: Upgrade\r\nUpgrade: tcp\r\n${options.headers ?? `Content-Length: ${body.length}\r\n`}\r\n${body}`,
  );
  return { socket, text: () => Buffer.concat(chunks).toString("latin1"), ended };
}

async function refusedRows(): Promise<number> {
  return control.services.prisma.auditRow.count({ where: { outcome: "refused" } });
}

describe("who may", () => {
  test.each([
    ["nothing", {}],
    ["a wrong token", { authorization: "Bearer flt_wrong" }],
    ["an empty token", { authorization: "Bearer " }],
    ["basic authentication", { authorization: "Basic YTpi" }],
    ["the token as a cookie", { cookie: `token=${ADMIN_TOKEN}` }],
  ] as [string, Record<string, string>][])("%s is answered 401 in Docker's words", async (_title, headers) => {
    const response = await call("/web-1/v1.47/containers/json", { headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ message: expect.stringContaining("unauthorized") });
  });

  test("a session of the dashboard does not open the Docker API", async () => {
    const cookie = await control.signIn(ADMIN.email, ADMIN.password);
    expect((await call("/web-1/_ping", { headers: { cookie } })).status).toBe(401);
  });

  test("a token in the URL does not count", async () => {
    expect((await call(`/web-1/_ping?token=${ADMIN_TOKEN}`)).status).toBe(401);
  });

  test("refused attempts are audited with action and address", async () => {
    await call("/web-1/v1.47/containers/create", { method: "POST" });
    const row = await control.services.prisma.auditRow.findFirstOrThrow({ where: { action: "container.create", outcome: "refused" } });
    expect(row).toMatchObject({ actorKind: "anonymous", address: "127.0.0.1" });
    expect(await refusedRows()).toBeGreaterThan(0);
  });

  test.each([
    "/web-2/_ping",
    "/web-1/plugins",
    "/web-1/v1.47/swarm",
    "/web-1/flotilla/v1/link/heartbeats",
    "/web-1/containers/%2e%2e/json",
    "/_ping",
    "/",
  ])("%s is not found", async (path) => {
    const response = await call(path, { headers: bearer });
    expect(response.status).toBe(404);
    await response.text();
  });

  test("a host that is away is answered 503, with its name", async () => {
    await control.services.prisma.host.create({
      data: { name: "away", publicKey: "x".repeat(43), teamId: (await control.services.prisma.team.findFirstOrThrow()).id },
    });
    const response = await call("/away/_ping", { headers: bearer });
    expect([response.status, await response.json()]).toEqual([503, { message: "host away is not connected" }]);
  });
});

describe("what goes through", () => {
  test("path, query and body arrive; credentials and our own headers do not", async () => {
    const response = await call("/web-1/v1.47/containers/create?name=a%20b", {
      method: "POST",
      body: '{"Image":"x"}',
      headers: {
        ...bearer,
        cookie: "a=b",
        "x-flotilla-namespace": "other",
        "x-flotilla-hijack-body": "5",
        "x-registry-auth": "abc",
        "content-type": "application/json",
      },
    });
    const seen = (await response.json()) as { path: string; body: string; headers: Record<string, string> };
    expect(seen).toMatchObject({ path: "/v1.47/containers/create?name=a%20b", body: '{"Image":"x"}' });
    expect(seen.headers).toMatchObject({ "x-flotilla-namespace": "default", "x-registry-auth": "abc", "content-type": "application/json" });
    for (const name of ["authorization", "cookie", "x-flotilla-hijack-body", "connection", "content-security-policy"])
      expect(seen.headers).not.toHaveProperty([name]);
    expect(response.headers.get("x-flotilla-secret")).toBeNull();
    expect(response.headers.get("api-version")).toBe("1.47");
  });

  test("an error of the engine comes back with its status and message", async () => {
    const response = await call("/web-1/containers/no-such/json", { headers: bearer });
    expect([response.status, await response.json()]).toEqual([404, { message: "No such container: no-such" }]);
  });

  test("a change is audited with its outcome, reading is not", async () => {
    const rows = (): Promise<{ action: string; outcome: string }[]> =>
      control.services.prisma.auditRow.findMany({
        where: { objectName: "web-1/audited" },
        select: { action: true, outcome: true },
        orderBy: { id: "asc" },
      });
    await (await call("/web-1/containers/audited/json", { headers: bearer })).text();
    await (await call("/web-1/containers/audited/start", { method: "POST", headers: bearer })).text();
    await until(async () => JSON.stringify(await rows()) === JSON.stringify([{ action: "container.change", outcome: "ok" }]));
  });

  test("200 MB go up with back-pressure, whole and unchanged", async () => {
    const part = randomBytes(1024 * 1024);
    const hash = createHash("sha256");
    for (let index = 0; index < 200; index += 1) hash.update(part);
    const before = process.memoryUsage().rss;
    const body = Readable.from(Array.from({ length: 200 }, () => part));
    const digest = await new Promise<string>((resolve, reject) => {
      const req = httpRequest(`${control.url}/docker/web-1/images/load`, { method: "POST", headers: bearer }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () => resolve((JSON.parse(Buffer.concat(chunks).toString()) as { digest: string }).digest));
      });
      req.on("error", reject);
      body.pipe(req);
    });
    expect(digest).toBe(hash.digest("hex"));
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  test("many clients that list a thousand containers at once are all answered", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await call("/web-1/v1.47/containers/json?all=1", { headers: bearer });
        return `${response.status} ${(await response.text()).length}`;
      }),
    );
    expect(new Set(answers)).toEqual(new Set(["200 1000004"]));
  });

  test("an engine that refuses in the middle of an upload is heard", async () => {
    const status = await new Promise<number | undefined>((resolve) => {
      const req = httpRequest(`${control.url}/docker/web-1/containers/x/archive`, { method: "PUT", headers: bearer }, (res) => {
        res.resume();
        resolve(res.statusCode);
      });
      req.on("error", () => resolve(undefined));
      const timer = setInterval(() => req.write(Buffer.alloc(65_536)), 5);
      req.on("close", () => clearInterval(timer));
      setTimeout(() => req.destroy(), 5_000).unref();
    });
    expect(status).toBe(403);
  });

  test("a client that goes away ends the call on the host", async () => {
    const path = "/containers/left/logs";
    const stop = new AbortController();
    const response = await call(`/web-1${path}?follow=1`, { headers: bearer, signal: stop.signal });
    await response.body?.getReader().read();
    expect(open.get(path)).toBe(1);
    stop.abort();
    await until(() => open.get(path) === 0);
  });

  test("headers are flushed before there is any body", async () => {
    const response = await call("/web-1/events", { headers: bearer, signal: AbortSignal.timeout(10_000) });
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });
});

describe("hijacked calls", () => {
  test("raw bytes both ways; the JSON before them is not part of them; a half-close arrives", async () => {
    const { socket, text, ended } = upgrade("/web-1/v1.47/exec/abc/start", { body: '{"Tty":false}' });
    await until(() => text().includes("\r\n\r\n"));
    expect(text()).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
    socket.write("ping\n");
    await until(() => text().includes("ping\n"));
    socket.end();
    await ended;
    expect(text().split("\r\n\r\n")[1]).toBe("ping\ngoodbye\n");
  });

  test("a call that is not upgraded ends its connection: nothing more is taken from it", async () => {
    const { socket, text, ended } = upgrade("/web-1/v1.47/exec/no-such/start", { body: "{}" });
    await ended;
    expect(text()).toMatch(/^HTTP\/1\.1 404 /);
    expect(text()).toContain("No such exec instance");
    // A second write finds out that the first was answered by a reset.
    await until(() => {
      socket.write(`GET /docker/web-1/_ping HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\n\r\n`);
      return socket.destroyed;
    });
    expect(text()).not.toContain("200 OK");
  });

  test.each([
    ["no token", { token: "flt_none" }, "401"],
    ["a chunked body", { headers: "Transfer-Encoding: chunked\r\n" }, "400"],
    ["an endless body", { headers: "Content-Length: 99999999999\r\n" }, "400"],
  ])("%s is refused and the connection closed", async (_title, options, status) => {
    const { text, ended } = upgrade("/web-1/v1.47/exec/abc/start", options);
    await ended;
    expect(text()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test("an unknown route is refused also when it asks to upgrade", async () => {
    const { text, ended } = upgrade("/web-1/v1.47/session", {});
    await ended;
    expect(text()).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe("revocation", () => {
  test("a log that is followed and a terminal end within five seconds when the token is revoked", async () => {
    const made = (await control.call("tokens.create", { name: "short", expiresInDays: 1 }, { kind: "mutation", token: ADMIN_TOKEN })) as {
      id: string;
      token: string;
    };
    const log = await call("/web-1/containers/watched/logs?follow=1", { headers: { authorization: `Bearer ${made.token}` } });
    const terminal = upgrade("/web-1/v1.47/exec/abc/start", { token: made.token });
    await until(() => terminal.text().includes("101"));
    await control.call("tokens.revoke", { id: made.id }, { kind: "mutation", token: ADMIN_TOKEN });
    const revokedAt = Date.now();
    await expect(log.text()).rejects.toThrow();
    await terminal.ended;
    expect(Date.now() - revokedAt).toBeLessThan(5_000);
    expect((await call("/web-1/_ping", { headers: { authorization: `Bearer ${made.token}` } })).status).toBe(401);
    await until(() => open.get("/containers/watched/logs") === 0);
  });
});
