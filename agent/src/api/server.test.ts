import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server, type ClientHttp2Session } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlotillaError, silentLogger } from "@flotilla/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Call, empty, json, type Route } from "./call.ts";
import { createApiServer, type ApiServer } from "./server.ts";
import { writeTo } from "./write-to.ts";

const UPLOAD = Buffer.alloc(64 * 1024, "u");

/** Reads the first of a body and leaves the rest, as a write that fails does. */
async function giveUp(call: Call): Promise<never> {
  for await (const _ of call.body) break;
  throw new FlotillaError("internal", "no space left on device");
}

const routes: Route[] = [
  { method: "GET", path: "/_ping", handler: () => ({ kind: "text", status: 200, body: "OK" }) },
  { method: "HEAD", path: "/_ping", handler: () => ({ kind: "text", status: 200, body: "OK" }) },
  { method: "GET", path: "/whoami", handler: (call) => json({ namespace: call.namespace, version: call.version }) },
  { method: "GET", path: "/images/:name*/json", handler: (call) => json(call.params) },
  { method: "POST", path: "/echo", handler: async (call) => json(await call.json(z.looseObject({ n: z.number().optional() }))) },
  { method: "POST", path: "/nothing", handler: () => empty(204) },
  { method: "POST", path: "/gives-up", handler: (call) => giveUp(call) },
  {
    method: "POST",
    path: "/gives-up-streaming",
    handler: (call) => ({
      kind: "stream",
      status: 200,
      contentType: "application/json",
      write: async (sink) => {
        await giveUp(call).catch((error: Error) => writeTo(sink, JSON.stringify({ error: error.message })));
      },
    }),
  },
  {
    method: "GET",
    path: "/fails",
    handler: () => {
      throw new FlotillaError("conflict", "already there");
    },
  },
  { method: "GET", path: "/crashes", handler: () => Promise.reject(new TypeError("boom")) },
  {
    method: "GET",
    path: "/cut",
    handler: () => ({
      kind: "stream",
      status: 200,
      contentType: "text/plain",
      write: async (sink) => {
        await writeTo(sink, "half");
        throw new Error("lost");
      },
    }),
  },
  {
    method: "POST",
    path: "/hijack",
    handler: async (call) => {
      const body = await call.json(z.looseObject({}));
      return {
        kind: "hijack",
        contentType: "application/vnd.docker.raw-stream",
        run: async (connection) => {
          connection.write(`${JSON.stringify(body)}\n`);
          for await (const chunk of connection) connection.write(String(chunk).toUpperCase());
        },
      };
    },
  },
  {
    method: "POST",
    path: "/hijack-unread",
    handler: () => ({
      kind: "hijack",
      run: async (connection) => void (await new Promise((resolve) => connection.pipe(connection).on("finish", resolve))),
    }),
  },
];

let dir: string;
let path: string;
let server: ApiServer;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "flt-api-"));
  path = join(dir, "run", "engine.sock");
  server = create();
  await server.listen(path);
});
afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** @param unreadMs how long the rest of a body is read after its answer; by default until the test is over. */
function create(unreadMs = 60_000): ApiServer {
  return createApiServer({
    routes,
    productVersion: "1.2.3",
    logger: silentLogger,
    limits: { maxJsonBytes: 1000, jsonTimeoutMs: 200, unreadMs },
  });
}

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

function call(method: string, target: string, options: { body?: string | Buffer; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, method, path: target, headers: options.headers ?? {} }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on("error", reject);
    sent.end(options.body);
  });
}

/** Sends raw bytes, one part after the other, then half-closes; gives all that came back. */
async function raw(...parts: string[]): Promise<string> {
  const socket: Socket = connect({ path, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.end();
  await new Promise((resolve) => socket.on("close", resolve));
  return Buffer.concat(chunks).toString();
}

const UPGRADE = "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\n";

describe("versions and headers", () => {
  test("every answer carries the version, the system and the server, errors too", async () => {
    for (const target of ["/_ping", "/v1.47/nowhere", "/crashes", "/v1.99/_ping"]) {
      expect((await call("GET", target)).headers).toMatchObject({
        "api-version": "1.47",
        ostype: "linux",
        "docker-experimental": "false",
        server: "Flotilla/1.2.3 (linux)",
      });
    }
  });

  test("a path without version means the newest, one with a version that version", async () => {
    expect(JSON.parse((await call("GET", "/whoami")).body)).toMatchObject({ version: [1, 47] });
    expect(JSON.parse((await call("GET", "/v1.24/whoami")).body)).toMatchObject({ version: [1, 24] });
  });

  test.each([
    ["/v1.99/_ping", "client version 1.99 is too new. Maximum supported API version is 1.47"],
    [
      "/v1.12/_ping",
      "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
    ],
  ])("%s is refused", async (target, message) => {
    expect(await call("GET", target)).toMatchObject({ status: 400, body: `${JSON.stringify({ message })}\n` });
  });

  test("an unknown path and an unknown method are page not found", async () => {
    const body = '{"message":"page not found"}\n';
    expect(await call("GET", "/v1.47/no/such")).toMatchObject({ status: 404, body });
    expect(await call("DELETE", "/_ping")).toMatchObject({ status: 404, body });
  });

  test("HEAD gives the head alone", async () => {
    expect(await call("HEAD", "/_ping")).toMatchObject({ status: 200, body: "", headers: { "content-length": "2" } });
    expect(await call("HEAD", "/nowhere")).toMatchObject({ status: 404, body: "" });
  });

  test("a namespace in a header of the local socket is ignored", async () => {
    expect(JSON.parse((await call("GET", "/whoami", { headers: { "x-flotilla-namespace": "team-b" } })).body)).toMatchObject({
      namespace: "default",
    });
  });

  test("a name takes slashes, plain and encoded", async () => {
    expect(JSON.parse((await call("GET", "/images/a/b%2Fc:1/json")).body)).toEqual({ name: "a/b/c:1" });
    expect((await call("GET", "/images/%ff/json")).status).toBe(400);
  });
});

describe("errors", () => {
  test("the code decides the status, the message is the body", async () => {
    expect(await call("GET", "/fails")).toMatchObject({ status: 409, body: '{"message":"already there"}\n' });
  });

  test("a handler that crashes answers 500 and the server goes on", async () => {
    expect(await call("GET", "/crashes")).toMatchObject({ status: 500, body: '{"message":"boom"}\n' });
    expect((await call("GET", "/_ping")).body).toBe("OK");
  });

  test("a stream that breaks is cut, so that the client cannot take it for whole", async () => {
    await expect(call("GET", "/cut")).rejects.toThrow(/aborted|hang up|reset/);
  });
});

describe("bodies", () => {
  test("no body and null are an empty object", async () => {
    expect(await call("POST", "/echo")).toMatchObject({ status: 200, body: "{}\n" });
    expect(await call("POST", "/echo", { body: "null" })).toMatchObject({ status: 200, body: "{}\n" });
  });

  test.each<[string, string | Buffer, number]>([
    ["text that is not JSON", "{", 400],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), 400],
    ["a field of the wrong type", '{"n":"one"}', 400],
    ["more than the limit", `"${"x".repeat(5000)}"`, 413],
  ])("%s is refused", async (_name, body, status) => {
    expect((await call("POST", "/echo", { body })).status).toBe(status);
  });

  test("a body of another type is refused in Docker's words", async () => {
    expect(await call("POST", "/echo", { body: "a=b", headers: { "content-type": "text/plain" } })).toMatchObject({
      status: 400,
      body: `${JSON.stringify({ message: "Content-Type specified (text/plain) must be 'application/json'" })}\n`,
    });
  });

  test("a body that never ends is refused and its connection closed", async () => {
    await server.close();
    server = create(50);
    await server.listen(path);
    const stuck = connect(path);
    stuck.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"n":');
    const chunks: Buffer[] = [];
    stuck.on("data", (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => stuck.on("close", resolve));
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 400 [^]*it did not end in time/);
  });

  test.each(["/gives-up", "/gives-up-streaming"])(
    "%s: a client that still uploads gets the answer, not a broken connection",
    async (route) => {
      const uploader = connect(path);
      const chunks: Buffer[] = [];
      const failures: Error[] = [];
      uploader.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", (error) => failures.push(error));
      uploader.write(`POST ${route} HTTP/1.1\r\nHost: x\r\nContent-Length: ${1024 * UPLOAD.length}\r\n\r\n`);
      // The whole body is written whatever is answered, as Go's client does until it has read the answer.
      for (let sent = 0; sent < 1024; sent++) if (!uploader.write(UPLOAD)) await once(uploader, "drain");
      while (!Buffer.concat(chunks).includes("no space left")) await once(uploader, "data");
      expect(failures).toEqual([]);
      // The connection is in order: the next call is answered on it.
      uploader.write("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n");
      while (!Buffer.concat(chunks).toString().endsWith("OK")) await once(uploader, "data");
      uploader.destroy();
    },
  );

  test("huge headers get 431 and a message", async () => {
    expect(await raw(`GET /_ping HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(200_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 [^]*too large/);
  });

  test("what is no HTTP at all gets 400", async () => {
    expect(await raw("HELLO\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe("hijack", () => {
  test("the body is read first, what follows is input, and a half-close is the end of input", async () => {
    const answer = await raw(`POST /v1.41/hijack HTTP/1.1\r\n${UPGRADE}Content-Length: 13\r\n\r\n`, '{"Tty":', "false}std", "in");
    expect(answer).toBe(
      "HTTP/1.1 101 UPGRADED\r\nApi-Version: 1.47\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Flotilla/1.2.3 (linux)\r\n" +
        'Content-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n{"Tty":false}\nSTDIN',
    );
  });

  test("a body that the handler did not read never becomes input", async () => {
    const whole = await raw(`POST /hijack-unread HTTP/1.1\r\n${UPGRADE}Content-Length: 4\r\n\r\nbodystdin`);
    expect(whole.split("\r\n\r\n")[1]).toBe("stdin");
  });

  test("an error before the hijack is an ordinary answer", async () => {
    expect(await raw(`POST /nowhere HTTP/1.1\r\n${UPGRADE}Content-Length: 0\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 404 Not Found\r\n[^]*\r\n\r\n\{"message":"page not found"\}\n$/,
    );
    expect(await raw(`POST /nothing HTTP/1.1\r\n${UPGRADE}Content-Length: 0\r\n\r\n`)).toMatch(/^HTTP\/1.1 204 /);
  });

  test("without an Upgrade header the answer is 200 and raw bytes", async () => {
    const answer = await raw('POST /hijack HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"a":1}');
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer).not.toMatch(/chunked/i);
    expect(answer.split("\r\n\r\n")[1]).toBe('{"a":1}\n');
  });

  test("an offer of another protocol is ignored", async () => {
    expect(await raw("GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n")).toMatch(/^HTTP\/1.1 200 OK/);
  });
});

describe("the socket", () => {
  test("is for its owner and group only", () => {
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  test("of a live agent is not taken over, that of a dead one is", async () => {
    const second = create();
    await expect(second.listen(path)).rejects.toThrow(expect.objectContaining({ code: "conflict" }));
    expect((await call("GET", "/_ping")).body).toBe("OK");

    const stale = join(dir, "stale.sock");
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(stale, resolve));
    await new Promise((resolve) => dead.close(resolve));
    const third = create();
    await third.listen(stale);
    await third.close();
  });

  test("may have a path longer than a socket address", async () => {
    const long = join(dir, "x".repeat(120), "engine.sock");
    const other = create();
    await other.listen(long);
    expect(statSync(long).isSocket()).toBe(true);
    await other.close();
  });
});

describe("the tunnel", () => {
  let client: ClientHttp2Session;
  let tunnel: ReturnType<typeof createHttp2Server>;

  beforeEach(async () => {
    tunnel = createHttp2Server();
    tunnel.on("stream", (stream, headers) => server.handleHttp2Stream(stream, headers));
    const tunnelPath = join(dir, "h2.sock");
    await new Promise<void>((resolve) => tunnel.listen(tunnelPath, resolve));
    client = connectHttp2("http://tunnel", { createConnection: () => connect(tunnelPath) });
  });
  afterEach(async () => {
    client.destroy();
    await new Promise((resolve) => tunnel.close(resolve));
  });

  async function exchange(headers: Record<string, string>, body?: string): Promise<{ headers: Record<string, unknown>; body: string }> {
    const stream = client.request({ "x-flotilla-namespace": "default", ...headers });
    const answered = new Promise<Record<string, unknown>>((resolve) => stream.on("response", (received) => resolve({ ...received })));
    stream.end(body);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return { headers: await answered, body: Buffer.concat(chunks).toString() };
  }

  test("names the namespace in a header", async () => {
    const answer = await exchange({ ":path": "/v1.47/whoami", "x-flotilla-namespace": "team-b" });
    expect(answer.headers).toMatchObject({ ":status": 200, "api-version": "1.47", "content-type": "application/json" });
    expect(JSON.parse(answer.body)).toEqual({ namespace: "team-b", version: [1, 47] });
  });

  test.each(["", "../default", "A B", "x".repeat(64)])(
    "a call of no namespace (%j) is refused, never taken for the default's",
    async (name) => {
      const answer = await exchange({ ":path": "/v1.47/whoami", "x-flotilla-namespace": name });
      expect(answer.headers).toMatchObject({ ":status": 400 });
    },
  );

  test("carries a hijack as a full-duplex stream with the body in front", async () => {
    const answer = await exchange({ ":method": "POST", ":path": "/hijack", "x-flotilla-hijack-body": "7" }, '{"a":1}input');
    expect(answer.headers).toMatchObject({ ":status": 200, "x-flotilla-hijack": "101" });
    expect(answer.body).toBe('{"a":1}\nINPUT');
  });

  test("gives errors as on the socket", async () => {
    const answer = await exchange({ ":method": "POST", ":path": "/nowhere", "x-flotilla-hijack-body": "0" });
    expect(answer.headers).toMatchObject({ ":status": 404 });
    expect(JSON.parse(answer.body)).toEqual({ message: "page not found" });
  });

  test.each([
    [
      "a streamed answer to a body that was not read to its end",
      { ":method": "POST", ":path": "/gives-up-streaming" },
      "x".repeat(300_000),
    ],
    ["a streamed answer to no body", { ":method": "POST", ":path": "/gives-up-streaming" }, ""],
    ["an answer at once", { ":path": "/whoami" }, undefined],
    ["an error", { ":method": "POST", ":path": "/gives-up" }, "x".repeat(300_000)],
  ])("%s leaves no stream behind: the connection can end", async (_what, headers, body) => {
    await exchange(headers, body);
    await new Promise<void>((resolve) => client.close(resolve));
    expect(client.destroyed).toBe(true);
  });
});
