import { encodeStdcopy, STDCOPY } from "@flotilla/engine-api";
import type { ServerHttp2Stream } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ADMIN, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";

let control: TestControl;
let agent: LinkedAgent;
let cookie: string;
const events: ServerHttp2Stream[] = [];
const logs: ServerHttp2Stream[] = [];

const TIME = "2026-11-23T18:00:00.000000001Z";

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  agent = await startLinkedAgent(control, {
    name: "web-1",
    engine: (stream, headers) => {
      const path = headers[":path"] ?? "";
      stream.on("error", () => undefined);
      if (path.includes("/missing/")) {
        stream.respond({ ":status": 404, "content-type": "application/json" });
        stream.end(JSON.stringify({ message: "No such container: missing" }));
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

async function subscribe(page: Page, path: string, input?: unknown): Promise<void> {
  await until(() => page.socket.readyState === WebSocket.OPEN);
  page.socket.send(JSON.stringify({ id: 1, method: "subscription", params: { path, ...(input === undefined ? {} : { input }) } }));
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
