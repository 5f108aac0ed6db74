// Requests that no good client sends: Docker's status and `message`, and the engine goes on.
import { request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());
afterEach(async () => {
  expect((await agent.docker(["version"])).exitCode).toBe(0);
});

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

function call(method: string, path: string, options: { body?: string | Buffer; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath: agent.socketPath, method, path, headers: { "content-type": "application/json", ...options.headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }),
        );
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(options.body ?? "");
  });
}

const message = (answer: Answer): string => (JSON.parse(answer.body) as { message: string }).message;

describe("versions", () => {
  test("an API version above ours and one below the minimum are 400 with Docker's words", async () => {
    const tooNew = await call("GET", "/v1.99/containers/json");
    expect(tooNew.status).toBe(400);
    expect(message(tooNew)).toBe("client version 1.99 is too new. Maximum supported API version is 1.47");
    const tooOld = await call("GET", "/v1.12/containers/json");
    expect(tooOld.status).toBe(400);
    expect(message(tooOld)).toMatch(/^client version 1\.12 is too old\. Minimum supported API version is 1\.24/);
  });

  test("every answer, errors too, carries the version headers", async () => {
    for (const path of ["/_ping", "/v1.47/version", "/v1.47/containers/none/json", "/v1.47/no/such/route"]) {
      const { headers } = await call("GET", path);
      expect(headers, path).toMatchObject({ "api-version": "1.47", ostype: "linux" });
      expect(headers["server"], path).toMatch(/\(linux\)$/);
    }
  });

  test("HEAD /_ping has no body, GET has OK", async () => {
    expect(await call("HEAD", "/_ping")).toMatchObject({ status: 200, body: "" });
    expect(await call("GET", "/_ping")).toMatchObject({ status: 200, body: "OK" });
  });
});

describe("requests that are wrong", () => {
  test.each([
    ["POST", "/v1.47/containers/create", '{"Image":', 400, /./],
    ["POST", "/v1.47/containers/create", "[]", 400, /./],
    ["POST", "/v1.47/containers/create", '{"Image":"busybox","Cmd":5}', 400, /./],
    ["POST", "/v1.47/containers/create", '{"Image":"none-such"}', 404, /^No such image: none-such:latest$/],
    ["POST", "/v1.47/containers/create?name=a/b", '{"Image":"busybox"}', 400, /^Invalid container name \(a\/b\)/],
    ["POST", "/v1.47/containers/create", '{"Image":"UPPER/Case"}', 400, /invalid reference format|repository name/],
    ["GET", "/v1.47/containers/none/json", "", 404, /^No such container: none$/],
    ["GET", "/v1.47/images/none/json", "", 404, /^No such image: none:latest$/],
    ["GET", "/v1.47/containers/json?filters=%7Bnot", "", 400, /./],
    ["GET", "/v1.47/containers/json?filters=%7B%22zz%22%3A%5B%22a%22%5D%7D", "", 400, /invalid filter 'zz'/],
    ["GET", "/v1.47/containers/json?limit=abc", "", 400, /./],
    ["POST", "/v1.47/containers/none/kill?signal=0", "", 400, /./],
    ["GET", "/v1.47/no/such/page", "", 404, /page not found/],
    ["GET", "/v1.47/swarm", "", 503, /not a swarm manager/],
    ["POST", "/v1.47/images/load", "this is no tar", 400, /./],
  ])("%s %s %j gives %i", async (method, path, body, status, words) => {
    const answer = await call(method, path, { body });
    expect(answer.status, answer.body).toBe(status);
    expect(message(answer)).toMatch(words);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
  });

  test("logs need stdout or stderr", async () => {
    await agent.docker(["create", "--name", "quiet", "busybox"]);
    const answer = await call("GET", "/v1.47/containers/quiet/logs");
    expect(answer.status).toBe(400);
    expect(message(answer)).toMatch(/at least one stream/);
  });

  test("unknown fields are ignored, as Docker ignores them", async () => {
    const answer = await call("POST", "/v1.47/containers/create?name=tolerant", {
      body: '{"Image":"busybox","FieldOfTheFuture":{"a":1},"HostConfig":{"Another":true}}',
    });
    expect(answer.status, answer.body).toBe(201);
  });

  test("invalid UTF-8 in a body is refused", async () => {
    const answer = await call("POST", "/v1.47/containers/create", {
      body: Buffer.concat([Buffer.from('{"Image":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    });
    expect(answer.status).toBe(400);
  });

  test("a JSON body of many megabytes is refused, not read", async () => {
    const answer = await call("POST", "/v1.47/containers/create", { body: `{"Image":"${"x".repeat(16 * 1024 * 1024)}"}` }).catch(
      (error: NodeJS.ErrnoException) => error,
    );
    if (answer instanceof Error) expect((answer as NodeJS.ErrnoException).code).toMatch(/EPIPE|ECONNRESET/);
    else expect([400, 413]).toContain(answer.status);
  });

  test("huge headers end that connection only", async () => {
    const answer = await call("GET", "/_ping", { headers: { "x-huge": "h".repeat(200_000) } }).catch(
      (error: NodeJS.ErrnoException) => error,
    );
    if (answer instanceof Error) expect((answer as NodeJS.ErrnoException).code).toMatch(/EPIPE|ECONNRESET/);
    else expect(answer.status).toBe(431);
  });

  test("deeply nested JSON does not end the agent", async () => {
    const answer = await call("POST", "/v1.47/containers/create", { body: `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}` });
    expect([400, 404]).toContain(answer.status);
  });

  test("bytes that are no HTTP end that connection only", async () => {
    const text = await new Promise<string>((resolve) => {
      const socket = connect(agent.socketPath, () => socket.write(Buffer.from([0, 1, 2, 3, 13, 10, 13, 10])));
      let seen = "";
      socket.on("data", (chunk) => (seen += chunk.toString("latin1")));
      socket.on("error", () => resolve(seen));
      socket.on("close", () => resolve(seen));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400|^$/);
  });

  test("a client that goes away in the middle of an upload leaves no image and no temporary file", async () => {
    const before = (await agent.docker(["images", "-aq"])).stdout;
    await new Promise<void>((resolve) => {
      const sent = request({
        socketPath: agent.socketPath,
        method: "POST",
        path: "/v1.47/images/load",
        headers: { "transfer-encoding": "chunked" },
      });
      sent.on("error", () => resolve());
      sent.on("close", () => resolve());
      sent.write(Buffer.alloc(1024 * 1024), () => sent.destroy());
    });
    expect((await agent.docker(["images", "-aq"])).stdout).toBe(before);
  });
});

describe("names that try to be something else", () => {
  const hostile = ["../../etc", "a;b", "$(id)", "`id`", "a\nb", "-flag", "a b", "ä", "a\u0000b", "x".repeat(300)];

  test.each(hostile)("a container may not be called %j", async (name) => {
    const answer = await call("POST", `/v1.47/containers/create?name=${encodeURIComponent(name)}`, { body: '{"Image":"busybox"}' });
    expect(answer.status).toBe(400);
  });

  test.each(hostile)("a volume may not be called %j", async (name) => {
    const answer = await call("POST", "/v1.47/volumes/create", { body: JSON.stringify({ Name: name }) });
    expect(answer.status).toBe(400);
  });
});
