import { silentLogger } from "@flotilla/core";
import { DROP_PATH, type HostFacts, ROSTER_PATH, YIELD_PATH } from "@flotilla/protocol";
import { once } from "node:events";
import { type ClientHttp2Session, connect, performServerHandshake } from "node:http2";
import { duplexPair } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { answerBody } from "../agent-hub/answer-body.ts";
import { type PeerServing, servePeer } from "./serve-peer.ts";

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

const PROCESS = "p".repeat(43);

/** A peer's session to a control plane that holds host `h`. */
function scene() {
  const asked: string[] = [];
  const listeners = new Set<(change: { hostId: string; kind: string }) => void>();
  const connection = { hostId: "h", epoch: 2, facts: { hostname: "x" } as HostFacts, stats: null, socket: { lastHeardMs: Date.now() } };
  const hub = {
    find: (id: string) => (id === "h" ? connection : undefined),
    connections: () => [connection],
    makeRoom: async (id: string, processId: string) => {
      asked.push(`${id} ${processId}`);
      return false;
    },
    drop: (id: string, reason: string) => void asked.push(`drop ${id}: ${reason}`),
    onChange: (listener: (change: { hostId: string; kind: string }) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const [near, far] = duplexPair();
  const server = performServerHandshake(far);
  const serving = { hub, issueTicket: async () => undefined, logger: silentLogger } as unknown as PeerServing;
  server.on("stream", (stream, headers) => servePeer(stream, headers, serving));
  server.on("error", () => undefined);
  const session = connect("http://x", { createConnection: () => near });
  session.on("error", () => undefined);
  cleanups.push(() => {
    session.destroy();
    server.destroy();
  });
  return { session, asked, listeners };
}

async function ask(session: ClientHttp2Session, path: string, body: string): Promise<[number, string]> {
  const stream = session.request({ ":method": "POST", ":path": path });
  const answer = answerBody(stream);
  stream.end(body);
  const [headers] = (await once(stream, "response")) as [{ ":status": number }];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return [headers[":status"], Buffer.concat(chunks).toString()];
}

test("a peer asks for a host's place, and is answered", async () => {
  const { session, asked } = scene();
  const answer = await ask(session, YIELD_PATH, `${JSON.stringify({ hostId: "h", processId: PROCESS })}\n`);
  expect(answer).toEqual([200, '{"isFree":false}\n']);
  expect(asked).toEqual([`h ${PROCESS}`]);
});

test("a host that was removed is let go", async () => {
  const { session, asked } = scene();
  expect(await ask(session, DROP_PATH, `${JSON.stringify({ hostId: "h", reason: "removed" })}\n`)).toEqual([200, "{}\n"]);
  expect(asked).toEqual(["drop h: removed"]);
});

test.each([
  [YIELD_PATH, ""],
  [YIELD_PATH, "{\n"],
  [YIELD_PATH, '{"hostId":"h"}\n'],
  [DROP_PATH, `${JSON.stringify({ hostId: "h", reason: "x".repeat(9_000) })}\n`],
])("what is no question is refused (%s %#)", async (path, body) => {
  const { session, asked } = scene();
  expect(await ask(session, path, body)).toEqual([400, ""]);
  expect(asked).toEqual([]);
});

test("an unknown path is not there", async () => {
  const { session } = scene();
  expect(await ask(session, "/peer/v1/else", "")).toEqual([404, ""]);
});

test("the roster begins with all hosts, goes on with changes, and lets go of the hub when the peer does", async () => {
  const { session, listeners } = scene();
  const stream = session.request({ ":method": "GET", ":path": ROSTER_PATH });
  const [first] = (await once(stream, "data")) as [Buffer];
  expect(JSON.parse(first.toString())).toEqual({
    type: "snapshot",
    hosts: [{ hostId: "h", epoch: 2, facts: { hostname: "x" }, stats: null }],
  });
  for (const listener of listeners) listener({ hostId: "gone", kind: "offline" });
  const [second] = (await once(stream, "data")) as [Buffer];
  expect(JSON.parse(second.toString())).toEqual({ type: "remove", hostId: "gone" });
  stream.close();
  await expect.poll(() => listeners.size).toBe(0);
});
