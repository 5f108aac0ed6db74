import { encodeStdcopy, STDCOPY } from "@flotilla/engine-api";
import type { ServerHttp2Stream } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";

let control: TestControl;
let agent: LinkedAgent;
let cookie: string;
const events: ServerHttp2Stream[] = [];
const logs: ServerHttp2Stream[] = [];

const MAX_STREAMS = 9;
/** Of the flood that a log is: what the engine has sent, and whether it must wait. */
const flood = { sentBytes: 0, isHeld: false };
const TIME = "2026-11-23T18:00:00.000000001Z";

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true, env: { FLOTILLA_STREAMS_PER_PERSON: String(MAX_STREAMS) } });
  agent = await startLinkedAgent(control, {
    name: "web-1",
    engine: (stream, headers) => {
      const path = headers[":path"] ?? "";
      stream.on("error", () => undefined);
      if (path.includes("/missing/")) {
        stream.respond({ ":status": 404, "content-type": "application/json" });
        stream.end(JSON.stringify({ message: "No such container: missing" }));
      } else if (path.includes("/flood/")) {
        stream.respond({ ":status": 200, "content-type": "application/vnd.docker.raw-stream" });
        pour(stream);
      } else if (path.includes("/logs")) {
        logs.push(stream);
        stream.respond({ ":status": 200, "content-type": "application/vnd.docker.multiplexed-stream" });
        stream.write(encodeStdcopy(STDCOPY.stdout, Buffer.from(`${TIME} first\n${TIME} sec`)));
        stream.write(encodeStdcopy(STDCOPY.stderr, Buffer.from(`${TIME} <b>bad</b>\n`)));
        stream.write(encodeStdcopy(STDCOPY.stdout, Buffer.from("ond\n")));
      } else {
        events.push(stream);
        stream.respond({ ":status": 200, "content-type": "application/json" });
      }
    },
  });
  cookie = await control.signIn(ADMIN.email, ADMIN.password);
});
afterAll(async () => {
  await agent.close();
  await control.close();
});

/** Sends lines for as long as somebody takes them. */
function pour(stream: ServerHttp2Stream): void {
  const line = Buffer.from(`${TIME} ${"x".repeat(16_000)}\n`);
  flood.isHeld = false;
  while (!stream.destroyed && !flood.isHeld) {
    flood.sentBytes += line.length;
    flood.isHeld = !stream.write(line);
  }
  stream.once("drain", () => setImmediate(pour, stream));
}

type Message = { id?: number; result?: { type: string; data?: unknown }; error?: { message: string; data: { code: string } } };
type Page = { socket: WebSocket; messages: Message[]; data: () => unknown[]; closed: Promise<number> };

function openPage(headers: Record<string, string> = {}): Page {
  const socket = new WebSocket(`${control.url.replace("http", "ws")}/api/trpc`, { headers: { cookie, origin: control.url, ...headers } });
  const messages: Message[] = [];
  socket.on("message", (data: Buffer) => {
    if (data.toString().startsWith("{")) messages.push(JSON.parse(data.toString()) as Message);
  });
  const closed = new Promise<number>((resolve) => {
    socket.on("error", () => resolve(0));
    socket.on("close", (code) => resolve(code));
  });
  return {
    socket,
    messages,
    closed,
    data: () => messages.flatMap((message) => (message.result?.type === "data" ? [message.result.data] : [])),
  };
}

async function subscribe(page: Page, path: string, input?: unknown, id = 1): Promise<void> {
  await until(() => page.socket.readyState === WebSocket.OPEN);
  page.socket.send(JSON.stringify({ id, method: "subscription", params: { path, ...(input === undefined ? {} : { input }) } }));
}

describe("a page's socket", () => {
  test("logs come as lines with stream and time, whole however they were cut", async () => {
    const page = openPage();
    await subscribe(page, "containers.onLogs", { host: "web-1", id: "c1", tail: 10 });
    const lines = (): unknown[] => page.data().flatMap((batch) => (batch as { lines: unknown[] }).lines);
    await until(() => lines().length === 3);
    expect(lines()).toEqual(
      expect.arrayContaining([
        { stream: "stdout", time: TIME, text: "first" },
        { stream: "stdout", time: TIME, text: "second" },
        { stream: "stderr", time: TIME, text: "<b>bad</b>" },
      ]),
    );
    page.socket.close();
    await until(() => logs.at(-1)?.destroyed === true);
  });

  test("an error of the engine ends the subscription with its message", async () => {
    const page = openPage();
    await subscribe(page, "containers.onLogs", { host: "web-1", id: "missing" });
    await until(() => page.messages.some((message) => message.error !== undefined));
    expect(page.messages.find((message) => message.error !== undefined)?.error).toMatchObject({
      message: "No such container: missing",
      data: { code: "NOT_FOUND" },
    });
    page.socket.close();
  });

  test("events of hosts come as one stream, equal ones once", async () => {
    await until(() => events.length > 0);
    const page = openPage();
    await subscribe(page, "live.onEvents");
    await until(() => page.messages.some((message) => message.result?.type === "started"));
    const start = JSON.stringify({ Type: "container", Action: "start", Actor: { ID: "c1", Attributes: {} } });
    events.at(-1)?.write(`${start}\n${start}\n`);
    const seen = (): { kind: string; id?: string }[] =>
      page.data().flatMap((batch) => (batch as { events: { kind: string; id?: string }[] }).events);
    await until(() => seen().some((event) => event.kind === "container"));
    expect(seen().filter((event) => event.kind === "container")).toEqual([{ kind: "container", host: "web-1", id: "c1", action: "start" }]);
    page.socket.close();
  });

  test("what is written to the audit is an event of the activity", async () => {
    const page = openPage();
    await subscribe(page, "live.onEvents");
    await until(() => page.messages.some((message) => message.result?.type === "started"));
    await control.call("me.update", { name: "Ada L." }, { kind: "mutation", cookie });
    await until(() => JSON.stringify(page.data()).includes('"activity"'));
    page.socket.close();
  });

  test.each([
    ["another site", { origin: "http://evil.test" }],
    ["a sibling of ours", { origin: "http://app.127.0.0.1" }],
    ["no page at all", { origin: "null" }],
    ["nobody", { cookie: "flotilla.session_token=forged" }],
  ] as [string, Record<string, string>][])("%s is not let in", async (_title, headers) => {
    expect(await openPage(headers).closed).toBe(0);
  });

  test("it is closed within seconds after signing out", async () => {
    const own = await control.signIn(ADMIN.email, ADMIN.password);
    const page = openPage({ cookie: own });
    await subscribe(page, "live.onEvents");
    await fetch(`${control.url}/api/auth/sign-out`, {
      method: "POST",
      headers: { cookie: own, origin: control.url, "content-type": "application/json" },
      body: "{}",
    });
    expect(await page.closed).toBe(1008);
  });
});

describe("streams that are held open", () => {
  const started = (page: Page): number => page.messages.filter(({ result }) => result?.type === "started").length;
  const refusals = (page: Page): Message[] => page.messages.filter(({ error }) => error !== undefined);
  /** One after the other, until so many are open: those of earlier pages end a moment after their sockets. @returns the last one's id */
  async function openStreams(page: Page, count: number): Promise<number> {
    let id = 0;
    for (; started(page) < count;) {
      id++;
      await subscribe(page, "containers.onLogs", { host: "web-1", id: "c1", tail: 10 }, id);
      await until(() => started(page) + refusals(page).length === id);
    }
    return id;
  }
  const follow = (): Promise<Response> =>
    fetch(`${control.url}/docker/web-1/v1.47/containers/c1/logs?stdout=1&follow=1`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });

  test("are bounded for a session and for a person, by any door, and make room when they end", async () => {
    const page = openPage();
    const last = await openStreams(page, 6);
    await subscribe(page, "containers.onLogs", { host: "web-1", id: "c1", tail: 10 }, last + 1);
    await until(() => refusals(page).some(({ id }) => id === last + 1));
    expect(refusals(page).at(-1)?.error).toMatchObject({
      message: "this session has 6 streams open (logs, figures, events): close some of them first",
      data: { code: "TOO_MANY_REQUESTS" },
    });
    const held: Response[] = [];
    await until(async () => {
      const answer = await follow();
      if (answer.status === 200) held.push(answer);
      return held.length === 3;
    });
    const refused = await follow();
    expect([refused.status, await refused.json()]).toEqual([
      429,
      { message: "you have 9 streams open (logs, figures, events): close some of them first" },
    ]);
    page.socket.close();
    await page.closed;
    for (const { body } of held) await body?.cancel();
    const next = openPage();
    await openStreams(next, 6);
    next.socket.close();
    await next.closed;
  });

  test("whoever does not read holds up the host, and fills no memory", async () => {
    const page = openPage();
    await subscribe(page, "containers.onLogs", { host: "web-1", id: "flood", tail: 10 });
    await until(() => page.data().length > 0);
    page.socket.pause();
    let before = -1;
    // Held for as long as two looks are apart: what is unsent on the way has found its end.
    await until(async () => {
      const isStill = flood.isHeld && flood.sentBytes === before;
      before = flood.sentBytes;
      if (!isStill) await new Promise((resolve) => setTimeout(resolve, 300));
      return isStill;
    });
    const unread = flood.sentBytes;
    page.socket.resume();
    await until(() => flood.sentBytes > unread + 8 * 1024 * 1024);
    page.socket.terminate();
    await page.closed;
  });
});
