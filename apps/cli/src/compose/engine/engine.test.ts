import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { registryAuth, registryOf } from "../apply/registry-auth.ts";
import { splitReference } from "../apply/pull-image.ts";
import { toTime } from "../commands/logs.ts";
import { EngineClient, isNewer } from "./client.ts";
import { findEndpoint } from "./endpoint.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "flc-"));
  const id = createHash("sha256").update("flotilla-a").digest("hex");
  mkdirSync(join(dir, "contexts/meta", id), { recursive: true });
  writeFileSync(join(dir, "contexts/meta", id, "meta.json"), JSON.stringify({ Endpoints: { docker: { Host: "tcp://h:1/docker/a" } } }));
  const auth = Buffer.from("me:pass:word").toString("base64");
  writeFileSync(join(dir, "config.json"), JSON.stringify({ currentContext: "flotilla-a", auths: { "r.example:5000": { auth } } }));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("the engine of a command", () => {
  const of = (options: Parameters<typeof findEndpoint>[0], env: Record<string, string> = {}): string => {
    const endpoint = findEndpoint(options, { DOCKER_CONFIG: "/nonexistent", ...env });
    return endpoint.kind === "unix" ? endpoint.socketPath : endpoint.url.href;
  };

  test.each<[string, Parameters<typeof of>[0], Record<string, string>, string]>([
    ["is this machine's agent", {}, {}, "/run/flotilla/engine.sock"],
    ["is another instance's agent", {}, { FLOTILLA_RUN: "/r" }, "/r/engine.sock"],
    ["is DOCKER_HOST's", {}, { DOCKER_HOST: "unix:///x.sock" }, "/x.sock"],
    ["is --host's before it", { host: "tcp://h:1/docker/b" }, { DOCKER_HOST: "unix:///x.sock" }, "http://h:1/docker/b"],
    ["speaks TLS where docker does", { host: "tcp://h:1" }, { DOCKER_TLS: "1" }, "https://h:1/"],
  ])("%s", (_name, options, env, expected) => {
    expect(of(options, env)).toBe(expected);
  });

  test("may be a docker context's: a named one, or the current one if it is ours", () => {
    expect(of({ context: "flotilla-a" }, { DOCKER_CONFIG: dir })).toBe("http://h:1/docker/a");
    expect(of({}, { DOCKER_CONFIG: dir })).toBe("http://h:1/docker/a");
    expect(() => of({ context: "none" }, { DOCKER_CONFIG: dir })).toThrow('context "none": context not found');
  });

  test("gets docker's headers", () => {
    expect(findEndpoint({ host: "tcp://h:1" }, { DOCKER_CUSTOM_HEADERS: "Authorization=Bearer a=b,X-Y=z" })).toMatchObject({
      headers: { authorization: "Bearer a=b", "x-y": "z" },
    });
  });

  test.each(["ssh://a", "", "tcp://["])("%j is none", (host) => {
    expect(() => of({ host })).toThrow();
  });
});

describe("the client", () => {
  let server: Server;
  const seen: string[] = [];
  let offered = "1.41";
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (request.url === "/_ping") response.writeHead(200, { "api-version": offered }).end("OK");
      else if (request.url?.includes("/good") === true) response.end(JSON.stringify({ a: 1 }));
      else if (request.url?.includes("/already") === true) response.writeHead(304).end();
      else response.writeHead(409).end(JSON.stringify({ message: "no, in the engine's words" }));
    });
    await new Promise<void>((resolve) => server.listen(join(dir, "s"), resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  async function withClient<T>(work: (client: EngineClient) => Promise<T>): Promise<T> {
    const client = new EngineClient({ kind: "unix", socketPath: join(dir, "s"), isLocal: true });
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }

  test("speaks the engine's version, and no newer one than it knows", async () => {
    await withClient(async (client) => {
      expect(
        await client.json(z.object({ a: z.number() }), {
          method: "GET",
          path: "/good",
          query: { all: true, t: ["x", "y"], none: undefined },
        }),
      ).toEqual({ a: 1 });
    });
    expect(seen).toEqual(["GET /_ping", "GET /v1.41/good?all=1&t=x&t=y"]);
    offered = "1.99";
    expect(await withClient((client) => client.version())).toBe("1.47");
  });

  test("keeps the engine's words and code, and finds an answer of another shape", async () => {
    await withClient(async (client) => {
      await expect(client.run({ method: "POST", path: "/bad" })).rejects.toMatchObject({
        code: "conflict",
        message: "no, in the engine's words",
      });
      await expect(client.json(z.object({ b: z.string() }), { method: "GET", path: "/good" })).rejects.toThrow("unexpected shape: b");
      expect(await client.run({ method: "POST", path: "/already" })).toBe(false);
    });
  });

  test("says which engine cannot be reached", async () => {
    const client = new EngineClient({ kind: "unix", socketPath: "/nonexistent/s", isLocal: true });
    await expect(client.version()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("unix:///nonexistent/s") as string,
    });
  });
});

test.each([
  ["1.44", "1.41", true],
  ["1.41", "1.44", false],
  ["1.9", "1.10", false],
  ["2.0", "1.99", true],
  ["1.44", "1.44", false],
])("%s is newer than %s: %s", (a, b, expected) => {
  expect(isNewer(a, b)).toBe(expected);
});

test.each([
  ["nginx", "https://index.docker.io/v1/", { name: "nginx", tag: "latest" }],
  ["a/b:1", "https://index.docker.io/v1/", { name: "a/b", tag: "1" }],
  ["r.example:5000/a", "r.example:5000", { name: "r.example:5000/a", tag: "latest" }],
  ["localhost/a:2", "localhost", { name: "localhost/a", tag: "2" }],
  ["a@sha256:abc", "https://index.docker.io/v1/", { name: "a", tag: "sha256:abc" }],
])("the image %s is of %s", (image, registry, reference) => {
  expect(registryOf(image)).toBe(registry);
  expect(splitReference(image)).toEqual(reference);
});

test("credentials of docker login are sent to their registry only", () => {
  const decode = (image: string): unknown =>
    JSON.parse(Buffer.from(registryAuth(image, { DOCKER_CONFIG: dir }), "base64url").toString("utf8"));
  expect(decode("r.example:5000/a")).toEqual({ username: "me", password: "pass:word", serveraddress: "r.example:5000" });
  expect(decode("other.example/a")).toEqual({});
});

test.each([
  ["10m", "400.000"],
  ["1h30m", "-4400.000"],
  ["12.5", "12.5"],
  ["1970-01-01T00:01:00Z", "60.000"],
  [undefined, undefined],
])("the time %s is %s", (text, expected) => {
  expect(toTime(text, 1_000_000)).toBe(expected);
});

test("what is no time is refused", () => {
  expect(() => toTime("soon")).toThrow("invalid time soon");
});
