import { connect } from "node:net";
import { listProcedures } from "@flotilla/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ADMIN, ADMIN_TOKEN, type CallError, startTestControl, type TestControl } from "../support/control.ts";
import { type EngineHandler, type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";

// The numbers are those of docs/design/attacks.md.
let control: TestControl;
let agent: LinkedAgent;
let cookie: string;
/** `METHOD path` of every call that reached the engine and is not the control plane's own reading. */
const reached: string[] = [];

const engine: EngineHandler = (stream, headers) => {
  const path = headers[":path"] ?? "";
  stream.on("error", () => undefined);
  if (path.includes("/events")) return stream.respond({ ":status": 200 });
  if (headers[":method"] !== "GET" && !path.includes("/exec/")) reached.push(`${headers[":method"] ?? ""} ${path}`);
  if (path.endsWith("/exec")) {
    stream.respond({ ":status": 201, "content-type": "application/json" });
    stream.end(JSON.stringify({ Id: "a".repeat(64) }));
  } else if (path.includes("/start") && path.includes("/exec/")) {
    stream.respond({ ":status": 200, "x-flotilla-hijack": "101" });
    stream.write("welcome\r\n");
  } else {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end("[]");
  }
};

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  agent = await startLinkedAgent(control, { name: "web-1", engine });
  cookie = await control.signIn(ADMIN.email, ADMIN.password);
});
afterAll(async () => {
  await agent.close();
  await control.close();
});

type Opened = { sessionId: string; ticket: string };

const mutate = (path: string, input: unknown): Promise<unknown> => control.call(path, input, { kind: "mutation", cookie });
const openTerminal = (): Promise<Opened> => mutate("terminal.open", { host: "web-1", id: "c1", rows: 24, cols: 80 }) as Promise<Opened>;

function socket(path: string, protocols: string[], headers: Record<string, string>): { ws: WebSocket; ended: Promise<string> } {
  const ws = new WebSocket(`${control.url.replace("http", "ws")}${path}`, protocols, { headers });
  const ended = new Promise<string>((resolve) => {
    ws.on("error", (error) => resolve(error.message));
    ws.on("close", (code) => resolve(String(code)));
  });
  return { ws, ended };
}

/** Sends bytes as they are and reads to the end of the connection. */
function sendRaw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const raw = connect(control.port, "127.0.0.1", () => raw.write(text));
    raw.on("data", (chunk: Buffer) => chunks.push(chunk));
    raw.on("error", () => undefined);
    raw.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

describe("attack 2: inputs of another shape", () => {
  test.each([[[]], [{ host: ["web-1"] }], [{ host: 1 }], [{ host: { toString: "x" } }], ["web-1"], [1], [null]])(
    "%j is refused as an input, by words and not by a crash",
    async (input) => {
      await expect(control.call("hosts.get", input, { cookie })).rejects.toMatchObject({ code: "BAD_REQUEST", status: 400 });
    },
  );

  test("__proto__ and constructor are names like others, and reach nothing", async () => {
    for (const path of ["__proto__", "constructor", "hosts.__proto__", "toString", "hosts.get.call"])
      await expect(control.call(path, {}, { cookie })).rejects.toMatchObject({ status: 404 });
    await expect(control.call("hosts.get", JSON.parse('{"__proto__":{"host":"web-1"}}'), { cookie })).rejects.toMatchObject({
      status: 400,
    });
    expect(({} as Record<string, unknown>)["host"]).toBeUndefined();
  });

  test("a batch of more than fifty calls, and JSON a hundred thousand deep, end with an answer", async () => {
    const names = Array.from({ length: 51 }, () => "me.get").join(",");
    expect((await fetch(`${control.url}/api/trpc/${names}?batch=1&input=%7B%7D`, { headers: { cookie } })).status).toBeGreaterThanOrEqual(
      400,
    );
    const deep = await fetch(`${control.url}/api/trpc/me.update`, {
      method: "POST",
      headers: { cookie, origin: control.url, "content-type": "application/json" },
      body: `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    });
    expect(deep.status).toBe(400);
    expect(await control.call("me.get", undefined, { cookie })).toBeTruthy();
  });
});

describe("attack 3: WebSockets opened by others", () => {
  test.each([
    ["null", { origin: "null" }],
    ["a sibling sub-domain", { origin: "http://app.127.0.0.1" }],
    ["another port", { origin: "http://127.0.0.1:1" }],
    ["no origin, with the cookie", {}],
  ] as [string, Record<string, string>][])("a terminal is not opened from %s, and its ticket not shown there", async (_title, headers) => {
    const { ticket } = await openTerminal();
    expect(await socket("/api/terminal", ["flotilla.terminal.v1", `ticket.${ticket}`], { cookie, ...headers }).ended).toContain("403");
    expect(await socket("/api/trpc", [], { cookie, ...headers }).ended).toContain("403");
  });

  test("a ticket in the URL or the Referer is none", async () => {
    const { ticket } = await openTerminal();
    const headers = { cookie, origin: control.url, referer: `${control.url}/?ticket=${ticket}` };
    expect(await socket(`/api/terminal?ticket=${ticket}`, ["flotilla.terminal.v1"], headers).ended).toContain("403");
  });

  test("a ticket opens once, and not with the cookie of a session that ended", async () => {
    const { ticket } = await openTerminal();
    const protocols = ["flotilla.terminal.v1", `ticket.${ticket}`];
    const other = await control.signIn(ADMIN.email, ADMIN.password);
    const signOut = { method: "POST", headers: { cookie: other, origin: control.url, "content-type": "application/json" }, body: "{}" };
    expect((await fetch(`${control.url}/api/auth/sign-out`, signOut)).status).toBe(200);
    expect(await socket("/api/terminal", protocols, { cookie: other, origin: control.url }).ended).toContain("403");
    const first = socket("/api/terminal", protocols, { cookie, origin: control.url });
    await until(() => first.ws.readyState === WebSocket.OPEN);
    expect(await socket("/api/terminal", protocols, { cookie, origin: control.url }).ended).toContain("403");
    first.ws.close();
  });

  test("frames beyond the limit end the socket", async () => {
    const page = socket("/api/trpc", [], { cookie, origin: control.url });
    await until(() => page.ws.readyState === WebSocket.OPEN);
    page.ws.send("x".repeat(65 * 1024));
    expect(await page.ended).toBe("1009");
    const viewer = socket("/api/terminal", ["flotilla.terminal.v1", `ticket.${(await openTerminal()).ticket}`], {
      cookie,
      origin: control.url,
    });
    await until(() => viewer.ws.readyState === WebSocket.OPEN);
    viewer.ws.send(Buffer.alloc(257 * 1024));
    expect(await viewer.ended).toBe("1009");
  });
});

describe("attack 5: rights that end while a stream is open", () => {
  test("a viewer of a terminal goes with its own session, though another opened the terminal", async () => {
    const stolen = await control.signIn(ADMIN.email, ADMIN.password);
    const { sessionId } = await openTerminal();
    const again = (await control.call("terminal.reattach", { sessionId }, { kind: "mutation", cookie: stolen })) as Opened;
    const viewer = socket("/api/terminal", ["flotilla.terminal.v1", `ticket.${again.ticket}`], { cookie: stolen, origin: control.url });
    await until(() => viewer.ws.readyState === WebSocket.OPEN);
    const signOut = { method: "POST", headers: { cookie: stolen, origin: control.url, "content-type": "application/json" }, body: "{}" };
    await fetch(`${control.url}/api/auth/sign-out`, signOut);
    expect(await viewer.ended).toBe("1008");
  });

  test("a page's socket does not keep the role that it was opened with", async () => {
    await mutate("members.create", { name: "R", email: "r@example.test", password: "r's long password", role: "owner" });
    const theirs = await control.signIn("r@example.test", "r's long password");
    const page = socket("/api/trpc", [], { cookie: theirs, origin: control.url });
    await until(() => page.ws.readyState === WebSocket.OPEN);
    await control.services.prisma.membership.updateMany({ where: { user: { email: "r@example.test" } }, data: { role: "deployer" } });
    expect(await page.ended).toBe("1008");
  });
});

describe("attack 19: requests that a foreign page can make", () => {
  const mutations = listProcedures().filter(({ kind }) => kind === "mutation");

  test.each(mutations)("$path is not done by a GET, nor by a form", async ({ path }) => {
    const before = reached.length;
    const byGet = await fetch(`${control.url}/api/trpc/${path}?input=%7B%7D`, { headers: { cookie, "sec-fetch-site": "cross-site" } });
    expect(byGet.status).toBe(405);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const headers = { cookie, "content-type": type, "sec-fetch-site": "cross-site", origin: "http://evil.test" };
      expect((await fetch(`${control.url}/api/trpc/${path}`, { method: "POST", headers, body: "{}" })).status).toBe(403);
    }
    expect(reached).toHaveLength(before);
  });

  test("an upload needs a header that a form cannot send, and our own origin", async () => {
    const upload = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${control.url}/api/upload/image?host=web-1`, { method: "POST", headers: { cookie, ...headers }, body: "x" });
    expect((await upload({ origin: control.url })).status).toBe(400);
    expect((await upload({ origin: "http://evil.test", "x-flotilla-request": "1" })).status).toBe(403);
  });
});

describe("attack 21: requests that two readers understand differently", () => {
  const auth = `Host: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\n`;

  test.each([
    ["both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /docker/web-1/smuggled"],
    ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"],
    ["a folded header", "X-A: b\r\n c: d\r\n\r\n"],
    ["a space before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"],
    ["an unknown coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["a bare line feed", "X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ])("%s is refused before anything goes to a host", async (_title, rest) => {
    const before = reached.length;
    const answer = await sendRaw(`POST /docker/web-1/containers/c1/start HTTP/1.1\r\n${auth}${rest}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    // A call that goes through after all would have been made before this one is answered.
    await (await fetch(`${control.url}/docker/web-1/containers/json`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).text();
    expect(reached.slice(before)).toEqual([]);
  });

  test("an upgrade to h2c is no way around the front door", async () => {
    const h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n";
    expect(await sendRaw(`GET /healthz HTTP/1.1\r\nHost: x\r\n${h2c}`)).toMatch(/^HTTP\/1\.1 404 /);
    const before = reached.length;
    expect(await sendRaw(`GET /docker/web-1/containers/json HTTP/1.1\r\nHost: x\r\n${h2c}`)).toMatch(/^HTTP\/1\.1 401 /);
    expect(reached.slice(before)).toEqual([]);
  });
});

describe("attack 22: what cannot be audited", () => {
  test("no terminal is opened, no docker call is made, nobody is signed in", async () => {
    const { prisma } = control.services;
    await prisma.$executeRawUnsafe("ALTER TABLE audit_rows ADD CONSTRAINT broken CHECK (false) NOT VALID");
    const before = reached.length;
    try {
      await expect(openTerminal()).rejects.toMatchObject({ status: 500 });
      const started = await fetch(`${control.url}/docker/web-1/containers/c1/start`, {
        method: "POST",
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      });
      expect([started.status, await started.json()]).toEqual([500, { message: expect.stringContaining("something went wrong") }]);
      await expect(control.signIn(ADMIN.email, ADMIN.password)).rejects.toMatchObject({ status: 500 });
    } finally {
      await prisma.$executeRawUnsafe("ALTER TABLE audit_rows DROP CONSTRAINT broken");
    }
    expect(reached.slice(before)).toEqual([]);
  });
});

describe("attack 23: many at once", () => {
  test("of a hundred guesses at the same moment ten are compared", async () => {
    await mutate("members.create", { name: "G", email: "g@example.test", password: "g's long password", role: "deployer" });
    const guesses = Array.from({ length: 100 }, (_, index) => control.signIn("g@example.test", `wrong password ${index}`));
    const statuses = (await Promise.allSettled(guesses)).map((result) =>
      result.status === "rejected" ? (result.reason as CallError).status : 200,
    );
    expect(statuses.filter((status) => status !== 429).length).toBeLessThanOrEqual(10);
  });

  test("of forty terminals opened at the same moment twenty are", async () => {
    const opened = await Promise.allSettled(Array.from({ length: 40 }, openTerminal));
    expect(opened.filter((result) => result.status === "fulfilled").length).toBeLessThanOrEqual(20);
    const reasons = opened.flatMap((result) => (result.status === "rejected" ? [(result.reason as CallError).code] : []));
    expect(new Set(reasons)).toEqual(new Set(["TOO_MANY_REQUESTS"]));
  });

  test("strangers cannot fill the audit: equal refusals are one row, whatever names they make up", async () => {
    const count = (): Promise<number> =>
      control.services.prisma.auditRow.count({ where: { action: "container.logs", outcome: "refused" } });
    await Promise.all(Array.from({ length: 50 }, (_, index) => fetch(`${control.url}/docker/made-up-${index}/containers/c/logs`)));
    expect(await count()).toBe(1);
  });
});
