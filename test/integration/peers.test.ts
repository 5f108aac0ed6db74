import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import type { ServerHttp2Stream } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSigningKey, PEER_PATH, PEER_SUBPROTOCOL } from "@flotilla/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { readIdentity, writeIdentity } from "../../agent/src/link/identity-file.ts";
import { dialPeer } from "../../apps/control/src/server/peers/dial-peer.ts";
import { provePeerAsDialler } from "../../apps/control/src/server/peers/peer-handshake.ts";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { type Gate, openGate } from "../support/gate.ts";
import { echoEngine, type EngineHandler, type LinkedAgent, openLink, startLinkedAgent, until } from "../support/linked-agent.ts";
import { type SharedDatabase, startSharedDatabase } from "../support/shared-database.ts";

// Two control planes on one database. Host web-1 dials A; everything is asked of B.

let database: SharedDatabase;
let a: TestControl;
let b: TestControl;
let gateA: Gate;
let gateB: Gate;
let agent: LinkedAgent;
const cleanups: (() => Promise<void> | void)[] = [];
const open = new Map<string, number>();
const events: ServerHttp2Stream[] = [];
const callers: string[] = [];

const engine: EngineHandler = (stream, headers) => {
  const path = (headers[":path"] ?? "").split("?")[0] ?? "";
  const answer = (status: number, body: unknown): void => {
    stream.respond({ ":status": status, "content-type": "application/json" });
    stream.end(JSON.stringify(body));
  };
  stream.on("error", () => undefined);
  open.set(path, (open.get(path) ?? 0) + 1);
  stream.on("close", () => open.set(path, (open.get(path) ?? 1) - 1));
  if (path.endsWith("/events")) {
    events.push(stream);
    stream.respond({ ":status": 200, "content-type": "application/json" });
  } else if (path.endsWith("/logs")) {
    stream.respond({ ":status": 200, "content-type": "application/vnd.docker.raw-stream" });
    const timer = setInterval(() => stream.write("line\n"), 20);
    stream.on("close", () => clearInterval(timer));
  } else if (path.endsWith("/build")) {
    const hash = createHash("sha256");
    stream.on("data", (chunk: Buffer) => hash.update(chunk));
    stream.on("end", () => answer(200, { digest: hash.digest("hex") }));
  } else if (path.endsWith("/networks/create")) {
    const found = a.services.callers.find(agent.hostId, String(headers["x-flotilla-caller"]));
    callers.push(found?.kind === "user" ? found.email : "nobody");
    answer(201, { Id: "n" });
  } else if (/\/containers\/[^/]+\/exec$/.test(path)) answer(201, { Id: "e".repeat(64) });
  else if (path.endsWith(`/exec/${"e".repeat(64)}/json`)) answer(200, { ExitCode: 3 });
  else if (path.endsWith("/containers/c1/json")) answer(200, { Id: "c".repeat(64), Name: "/c1" });
  else echoEngine(stream, headers);
};

/** One control plane, which the other one reaches through a gate. */
async function startPlane(options: { judgeAfterMs?: number } = {}): Promise<{ control: TestControl; gate: Gate }> {
  const target = { port: 0 };
  const gate = await openGate(target);
  const env = { DATABASE_URL: database.url, FLOTILLA_PEER_URL: `http://127.0.0.1:${gate.port}` };
  const control = await startTestControl({ withAdmin: true, env, secretsFile: database.secretsFile, ...options });
  target.port = control.port;
  return { control, gate };
}

const stateAt = (control: TestControl, hostId = agent.hostId) => control.services.links.state(hostId);
const epochOf = async (hostId = agent.hostId): Promise<number> =>
  (await a.services.prisma.host.findUniqueOrThrow({ where: { id: hostId } })).epoch;
type Init = Omit<RequestInit, "headers"> & { headers?: Readonly<Record<string, string>> };
const docker = (control: TestControl, path: string, init: Init = {}): Promise<Response> =>
  fetch(`${control.url}/docker/web-1${path}`, { ...init, headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...init.headers } });

/** The agent dials another control plane from now on, as one behind a balancer does. */
function moveAgent(to: TestControl, dataDir = agent.dataDir): void {
  const identity = readIdentity(dataDir);
  if (identity === undefined) throw new Error("no identity");
  writeIdentity(dataDir, { ...identity, controlUrl: to.url });
}

beforeAll(async () => {
  database = await startSharedDatabase();
  ({ control: a, gate: gateA } = await startPlane());
  ({ control: b, gate: gateB } = await startPlane({ judgeAfterMs: 0 }));
  agent = await startLinkedAgent(a, { name: "web-1", engine });
  await until(() => stateAt(b).isOnline && stateAt(b).stats !== null);
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(async () => {
  await agent.close();
  await b.close();
  await a.close();
  await gateA.close();
  await gateB.close();
  await database.close();
});

describe("a host that another control plane holds", () => {
  test("is online with its facts and numbers, and only the one that holds it judges it", async () => {
    expect(stateAt(b)).toMatchObject({ isOnline: true, isElsewhere: true, facts: stateAt(a).facts });
    expect(stateAt(a)).toMatchObject({ isOnline: true, isElsewhere: false });
    const listed = (await b.call("hosts.list", undefined, { token: ADMIN_TOKEN })) as { name: string; state: string; stats: unknown }[];
    expect(listed).toEqual([expect.objectContaining({ name: "web-1", state: "online", stats: expect.anything() })]);
  });

  test("answers the docker command: method, query, body, status and the caller's namespace", async () => {
    const response = await docker(b, "/v1.47/containers/x/rename?name=y", { method: "POST", body: "text", headers: { "x-own": "1" } });
    const { headers, ...rest } = (await response.json()) as { headers: Record<string, string> };
    expect(response.status).toBe(200);
    expect(rest).toMatchObject({ path: "/v1.47/containers/x/rename?name=y", method: "POST", body: "text" });
    const { namespace } = await a.services.prisma.team.findFirstOrThrow();
    expect(headers).toMatchObject({ "x-own": "1", "x-flotilla-namespace": namespace });
    const own = Object.keys(headers).filter((name) => name.startsWith("x-flotilla-"));
    expect(own.sort()).toEqual(["x-flotilla-caller", "x-flotilla-exempt", "x-flotilla-namespace"]);
    expect((await docker(b, "/v1.47/containers/no-such/json")).status).toBe(404);
  });

  test("is not called for somebody who may not, whatever they say of themselves", async () => {
    const before = open.size;
    const forged = { authorization: "Bearer flt_wrong", "x-flotilla-namespace": "default", "x-flotilla-host": agent.hostId };
    expect((await docker(b, "/v1.47/containers/refused/json", { headers: forged })).status).toBe(401);
    expect(open.size).toBe(before);
  });

  test("knows who called through the other control plane: a network that is wished is that person's", async () => {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Name: "n", Driver: "overlay" }),
    };
    expect((await docker(b, "/v1.47/networks/create", init)).status).toBe(201);
    expect(callers).toEqual([ADMIN.email]);
  });

  test("attach and exec are raw bytes both ways, with half-close", async () => {
    const socket = connect({ port: b.port, host: "127.0.0.1", allowHalfOpen: true });
    cleanups.push(() => void socket.destroy());
    const text = collect(socket);
    const head = `POST /docker/web-1/v1.47/exec/x/start HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\n`;
    socket.write(`${head}Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}hello`);
    await until(() => text().includes("101 UPGRADED") && text().endsWith("hello"));
    socket.end();
    await until(() => text().endsWith("goodbye\n"));
  });

  test("a terminal of a page works: what is typed comes back, and the exit code is shown", async () => {
    const cookie = await b.signIn(ADMIN.email, ADMIN.password);
    const options = { kind: "mutation", cookie } as const;
    const opened = (await b.call("terminal.open", { host: "web-1", id: "c1", rows: 24, cols: 80 }, options)) as { ticket: string };
    const page = new WebSocket(`${b.url.replace("http", "ws")}/api/terminal`, ["flotilla.terminal.v1", `ticket.${opened.ticket}`], {
      headers: { cookie, origin: b.url },
    });
    cleanups.push(() => page.terminate());
    let shown = "";
    page.on("message", (data: Buffer) => (shown += data.toString()));
    await until(() => page.readyState === WebSocket.OPEN);
    page.send(Buffer.from("typed"));
    await until(() => shown.includes("typed"));
  });

  test("a log is followed for as long as somebody reads it", async () => {
    const stop = new AbortController();
    const response = await docker(b, "/v1.47/containers/c1/logs?follow=1&stdout=1", { signal: stop.signal });
    const reader = response.body?.getReader();
    for (let read = 0; read < 3; read += 1) expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toContain("line\n");
    stop.abort();
    await until(() => open.get("/v1.47/containers/c1/logs") === 0);
  });

  test("an upload arrives whole", async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, "layer");
    const response = await docker(b, "/v1.47/build", { method: "POST", body, headers: { "content-type": "application/x-tar" } });
    expect(await response.json()).toEqual({ digest: createHash("sha256").update(body).digest("hex") });
  });

  test("a page hears what happens on it", async () => {
    const cookie = await b.signIn(ADMIN.email, ADMIN.password);
    const page = new WebSocket(`${b.url.replace("http", "ws")}/api/trpc`, { headers: { cookie, origin: b.url } });
    cleanups.push(() => page.terminate());
    const messages: string[] = [];
    page.on("message", (data: Buffer) => messages.push(data.toString()));
    await until(() => page.readyState === WebSocket.OPEN);
    page.send(JSON.stringify({ id: 1, method: "subscription", params: { path: "live.onEvents" } }));
    await until(() => messages.some((message) => message.includes('"started"')));
    // Each control plane reads the host's events once.
    await until(() => open.get("/v1.47/events") === 2);
    for (const stream of events) stream.write(`${JSON.stringify({ Type: "container", Action: "start", Actor: { ID: "c9" } })}\n`);
    await until(() => messages.some((message) => message.includes("c9")));
  });

  test("is removed from anywhere: its connection ends", async () => {
    const other = await startLinkedAgent(a, { name: "web-9" });
    cleanups.push(() => other.close());
    await until(() => stateAt(b, other.hostId).isOnline);
    await b.call("hosts.remove", { host: "web-9" }, { kind: "mutation", token: ADMIN_TOKEN });
    await until(() => !stateAt(a, other.hostId).isOnline && !stateAt(b, other.hostId).isOnline);
  });
});

describe("who may speak to a control plane as a peer", () => {
  const planeOf = async (control: TestControl, gate: Gate): Promise<string> =>
    (await control.services.prisma.controlPlane.findFirstOrThrow({ where: { url: `http://127.0.0.1:${gate.port}` } })).id;
  const stranger = "f".repeat(32);

  test("nobody without the common key, nor one that means another control plane; refusals are audited", async () => {
    const to = await planeOf(a, gateA);
    const attempt = async (key = generateSigningKey(), target = to): Promise<void> => {
      const dialled = await dialPeer(a.url, AbortSignal.timeout(5_000));
      cleanups.push(() => dialled.socket.terminate());
      await provePeerAsDialler({ ...dialled, key, from: stranger, to: target });
    };
    await expect(attempt()).rejects.toThrow(/identity is another/);
    const { publicKey } = await a.services.prisma.controlPlane.findFirstOrThrow({ where: { id: to } });
    // The public half is known to everybody: it is in each join token.
    await expect(attempt({ publicKey, privateKey: generateSigningKey().privateKey })).rejects.toThrow(/signature is wrong/);
    const rows = await a.services.prisma.auditRow.findMany({ where: { action: "instance.peer", outcome: "refused" } });
    expect(rows.map(({ detail }) => (detail as { reason: string }).reason).sort()).toEqual(["bad_key", "bad_proof"]);
  });

  test("no browser, nor anything that speaks another protocol", async () => {
    for (const [protocols, headers] of [
      [[PEER_SUBPROTOCOL], { origin: a.url }],
      [["flotilla.v1"], {}],
    ] as [string[], Record<string, string>][]) {
      const socket = new WebSocket(`${a.url.replace("http", "ws")}${PEER_PATH}`, protocols, { headers });
      const status = await new Promise((resolve) => {
        socket.on("unexpected-response", (_req, response) => resolve(response.statusCode));
        socket.on("error", () => undefined);
      });
      expect(status).toBe(400);
    }
    expect((await fetch(`${a.url}${PEER_PATH}/roster`)).status).toBe(404);
  });

  test("a control plane with another identity does not start on this database", async () => {
    const attempt = startTestControl({ env: { DATABASE_URL: database.url } });
    await expect(attempt).rejects.toThrow(/another identity.*secrets\.json/);
  });
});

describe("attack 9 and 29: who holds a host", () => {
  test("a second machine with the host's key that dials another control plane is refused, and the first stays", async () => {
    const before = await epochOf();
    const clone = mkdtempSync(join(tmpdir(), "fla-"));
    cleanups.push(() => rmSync(clone, { recursive: true, force: true }));
    cpSync(join(agent.dataDir, "link"), join(clone, "link"), { recursive: true });
    moveAgent(b, clone);
    const link = openLink(clone, echoEngine);
    cleanups.push(() => link.close());
    await until(async () => (await a.services.prisma.auditRow.count({ where: { objectId: agent.hostId, outcome: "refused" } })) > 0);
    const host = await a.services.prisma.host.findUniqueOrThrow({ where: { id: agent.hostId } });
    expect(host).toMatchObject({ epoch: before, flag: "another machine uses this host's key" });
    expect(stateAt(a)).toMatchObject({ isOnline: true, isElsewhere: false });
  });

  test("a host that dials another control plane is that one's, everywhere", async () => {
    const before = await epochOf();
    moveAgent(b);
    await until(() => !stateAt(b).isElsewhere && stateAt(b).isOnline && stateAt(a).isElsewhere && stateAt(a).isOnline);
    expect(await epochOf()).toBeGreaterThan(before);
    expect((await docker(a, "/v1.47/containers/json")).status).toBe(200);
    expect((await docker(b, "/v1.47/containers/json")).status).toBe(200);
  });

  test("cut off from each other, each asks the database before it uses a connection; who lost the host says so and lets go", async () => {
    gateA.shut();
    gateB.shut();
    // B holds the host; A hears nothing of it and says where it is.
    await until(async () => /is connected to the control plane at .*, which does not answer/.test(await messageOf(docker(a, "/_ping"))));
    expect((await docker(a, "/_ping")).status).toBe(503);
    expect(stateAt(a)).toMatchObject({ isOnline: false, isElsewhere: true });
    expect((await docker(b, "/v1.47/containers/json")).status).toBe(200);
    // Another connection of the host is counted, as if elsewhere, and B is not told: the next call finds out. (B's own renewal may be
    // first, and the host be back: then once more.)
    await until(async () => {
      await a.services.prisma.host.update({ where: { id: agent.hostId }, data: { epoch: { increment: 1 } } });
      return (await messageOf(docker(b, "/v1.47/containers/json"))) === "host web-1 is connected to another control plane now";
    });
    // Let go by B, the host dials again.
    await until(() => stateAt(b).isOnline);
    gateA.open();
    gateB.open();
    await until(() => stateAt(a).isOnline && stateAt(a).isElsewhere);
  });

  test("a control plane that was killed holds its hosts until its lease is over; they may dial another one before", async () => {
    const plane = await b.services.prisma.controlPlane.findFirstOrThrow({ where: { url: `http://127.0.0.1:${gateB.port}` } });
    const held = await a.services.prisma.hostConnection.findUniqueOrThrow({ where: { hostId: agent.hostId } });
    expect(held.controlPlaneId).toBe(plane.id);
    const { prisma } = a.services;
    await b.close();
    // What a kill leaves in the database.
    await prisma.controlPlane.create({ data: { ...plane, leaseUntil: new Date(Date.now() + 60_000) } });
    await prisma.hostConnection.create({ data: held });
    await prisma.$executeRaw`SELECT pg_notify('flotilla_planes', 'planes')`;
    await until(async () => (await messageOf(docker(a, "/_ping"))).includes(`control plane at ${plane.url}, which does not answer`));
    moveAgent(a);
    await until(() => stateAt(a).isOnline && !stateAt(a).isElsewhere);
    expect((await docker(a, "/v1.47/containers/json")).status).toBe(200);
    // Its lease ends: nothing is left of it.
    await prisma.controlPlane.update({ where: { id: plane.id }, data: { leaseUntil: new Date(0) } });
    await prisma.$executeRaw`SELECT pg_notify('flotilla_planes', 'planes')`;
    await until(async () => (await prisma.controlPlane.count()) === 1);
    ({ control: b, gate: gateB } = await startAgain());
    await until(() => stateAt(b).isOnline && stateAt(b).isElsewhere);
  });
});

async function startAgain(): Promise<{ control: TestControl; gate: Gate }> {
  await gateB.close();
  return startPlane();
}

async function messageOf(response: Promise<Response>): Promise<string> {
  const answered = await response;
  return answered.status === 200 ? "" : ((await answered.json()) as { message: string }).message;
}

function collect(socket: Socket): () => string {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  return () => Buffer.concat(chunks).toString("latin1");
}
