import type { ServerHttp2Stream } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";

let control: TestControl;
let agent: LinkedAgent;
let cookie: string;
const resizes: string[] = [];
const shells: ServerHttp2Stream[] = [];

type Opened = { sessionId: string; ticket: string };

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  agent = await startLinkedAgent(control, {
    name: "web-1",
    engine: (stream, headers) => {
      const path = headers[":path"] ?? "";
      stream.on("error", () => undefined);
      const json = (status: number, body: unknown): void => {
        stream.respond({ ":status": status, "content-type": "application/json" });
        stream.end(JSON.stringify(body));
      };
      if (path.includes("/missing/")) json(404, { message: "No such container: missing" });
      else if (path.endsWith("/exec")) json(201, { Id: "a".repeat(64) });
      else if (path.includes("/resize")) json(200, resizes.push(path));
      else if (path.endsWith("/json")) json(200, { ExitCode: 3 });
      else if (path.endsWith("/start")) serveShell(stream, Number(headers["x-flotilla-hijack-body"]));
      else stream.respond({ ":status": 200 });
    },
  });
  cookie = await control.signIn(ADMIN.email, ADMIN.password);
});
afterAll(async () => {
  await agent.close();
  await control.close();
});

/** Says hello, echoes in capitals, ends at "exit". */
function serveShell(stream: ServerHttp2Stream, bodyBytes: number): void {
  shells.push(stream);
  stream.respond({ ":status": 200, "x-flotilla-hijack": "101" });
  stream.write("welcome\r\n");
  let skip = bodyBytes;
  stream.on("data", (chunk: Buffer) => {
    const rest = chunk.subarray(Math.min(skip, chunk.length)).toString();
    skip -= Math.min(skip, chunk.length);
    if (rest === "exit") stream.end("bye\r\n");
    else if (rest !== "") stream.write(rest.toUpperCase());
  });
}

const openTerminal = (id = "c1"): Promise<Opened> =>
  control.call("terminal.open", { host: "web-1", id, rows: 24, cols: 80 }, { kind: "mutation", cookie }) as Promise<Opened>;

type Viewer = { socket: WebSocket; bytes: () => string; messages: unknown[]; closed: Promise<number> };

function view(ticket: string, headers: Record<string, string> = {}): Viewer {
  const socket = new WebSocket(`${control.url.replace("http", "ws")}/api/terminal`, ["flotilla.terminal.v1", `ticket.${ticket}`], {
    headers: { cookie, origin: control.url, ...headers },
  });
  const chunks: Buffer[] = [];
  const messages: unknown[] = [];
  socket.on("message", (data: Buffer, isBinary: boolean) => (isBinary ? chunks.push(data) : messages.push(JSON.parse(data.toString()))));
  const closed = new Promise<number>((resolve) => {
    socket.on("error", () => resolve(0));
    socket.on("close", (code) => resolve(code));
  });
  return { socket, bytes: () => Buffer.concat(chunks).toString(), messages, closed };
}

describe("a terminal", () => {
  test("what is typed arrives, what is printed comes back, the size is told, the exit code is shown", async () => {
    const viewer = view((await openTerminal()).ticket);
    await until(() => viewer.bytes().includes("welcome"));
    viewer.socket.send(Buffer.from("abc"));
    await until(() => viewer.bytes().includes("ABC"));
    viewer.socket.send(JSON.stringify({ resize: { cols: 100, rows: 30 } }));
    await until(() => resizes.some((path) => path.includes("h=30&w=100")));
    viewer.socket.send(Buffer.from("exit"));
    expect(await viewer.closed).toBe(1000);
    expect(viewer.messages).toEqual([{ exit: { code: 3 } }]);
  });

  test("a page that is loaded again gets the same terminal with what was on it", async () => {
    const opened = await openTerminal();
    const first = view(opened.ticket);
    await until(() => first.bytes().includes("welcome"));
    first.socket.send(Buffer.from("before"));
    await until(() => first.bytes().includes("BEFORE"));
    first.socket.terminate();
    const again = (await control.call("terminal.reattach", { sessionId: opened.sessionId }, { kind: "mutation", cookie })) as {
      ticket: string;
    };
    const second = view(again.ticket);
    await until(() => second.bytes().includes("welcome\r\nBEFORE"));
    second.socket.send(Buffer.from("after"));
    await until(() => second.bytes().includes("AFTER"));
    second.socket.close();
  });

  test("a ticket opens once, from our own page, for its own person only", async () => {
    const opened = await openTerminal();
    expect(await view(opened.ticket, { origin: "http://evil.test" }).closed).toBe(0);
    const { ticket } = (await control.call("terminal.reattach", { sessionId: opened.sessionId }, { kind: "mutation", cookie })) as {
      ticket: string;
    };
    await control.call(
      "members.create",
      { name: "M", email: "m@example.test", password: "m's long password", role: "deployer" },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    const member = await control.signIn("m@example.test", "m's long password");
    expect(await view(ticket, { cookie: member }).closed).toBe(0);
    expect(await view(ticket).closed).toBe(0);
    expect(await view("guess").closed).toBe(0);
    expect(await view("").closed).toBe(0);
    const theirs = control.call("terminal.reattach", { sessionId: opened.sessionId }, { kind: "mutation", cookie: member });
    await expect(theirs).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("an error of the engine is the answer to opening", async () => {
    await expect(openTerminal("missing")).rejects.toMatchObject({ code: "NOT_FOUND", message: "No such container: missing" });
  });

  test("a message of another shape ends the viewer, not the terminal", async () => {
    const opened = await openTerminal();
    const viewer = view(opened.ticket);
    await until(() => viewer.bytes().includes("welcome"));
    viewer.socket.send(JSON.stringify({ resize: { cols: -1, rows: 1e9 } }));
    expect(await viewer.closed).toBe(1007);
    await expect(control.call("terminal.reattach", { sessionId: opened.sessionId }, { kind: "mutation", cookie })).resolves.toBeTruthy();
  });

  test("signing out ends the terminal within seconds", async () => {
    const own = await control.signIn(ADMIN.email, ADMIN.password);
    const opened = (await control.call(
      "terminal.open",
      { host: "web-1", id: "c1", rows: 24, cols: 80 },
      { kind: "mutation", cookie: own },
    )) as Opened;
    const viewer = view(opened.ticket, { cookie: own });
    await until(() => viewer.bytes().includes("welcome"));
    const shell = shells.at(-1);
    await fetch(`${control.url}/api/auth/sign-out`, {
      method: "POST",
      headers: { cookie: own, origin: control.url, "content-type": "application/json" },
      body: "{}",
    });
    expect(await viewer.closed).toBe(1008);
    await until(() => shell?.destroyed === true);
  });

  test("opening a terminal is audited", async () => {
    const row = await control.services.prisma.auditRow.findFirstOrThrow({ where: { action: "container.exec", objectName: "web-1/c1" } });
    expect(row).toMatchObject({ actorName: ADMIN.email, outcome: "ok" });
  });
});
