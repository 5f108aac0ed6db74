import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { joinControlPlane } from "../../agent/src/link/join.ts";
import { type Link, startLink } from "../../agent/src/link/link.ts";
import { DesiredState } from "../../agent/src/state/desired-state.ts";
import { DesiredStore } from "../../agent/src/state/desired-store.ts";
import { ObservedState } from "../../agent/src/state/observed-state.ts";
import { serveState } from "../../agent/src/state/serve-state.ts";
import { realTimer } from "../../agent/src/state/timer.ts";
import { Database } from "../../agent/src/store/database.ts";
import { ADMIN_TOKEN, type TestControl } from "./control.ts";

export type EngineHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export type LinkedState = { desired: DesiredState; observed: ObservedState };

export type LinkedAgent = {
  dataDir: string;
  hostId: string;
  name: string;
  /** Ends the link and keeps its directory. */ disconnect(): Promise<void>;
  close(): Promise<void>;
};

/** The agent's real link, in this process, before an engine that the test writes; joined and connected when this returns. */
export async function startLinkedAgent(
  control: TestControl,
  options: { name: string; engine?: EngineHandler; state?: LinkedState },
): Promise<LinkedAgent> {
  const dataDir = mkdtempSync(join(tmpdir(), "fla-"));
  try {
    const { token } = (await control.call(
      "hosts.joinTokens.create",
      { name: options.name, expiresInMinutes: 5, uses: 1 },
      { kind: "mutation", token: ADMIN_TOKEN },
    )) as { token: string };
    const { hostId, name } = await joinControlPlane({ dataDir, controlUrl: control.url, token, agentVersion: "0.0.0-test" });
    const link = openLink(dataDir, options.engine ?? echoEngine, options.state);
    await untilOnline(control, hostId);
    return {
      dataDir,
      hostId,
      name,
      disconnect: () => link.close(),
      close: async () => {
        await link.close();
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
}

/** Only the link, on an identity that is there. */
export function openLink(dataDir: string, handleStream: EngineHandler, state: LinkedState = makeState()): Link {
  return startLink({
    dataDir,
    agentVersion: "0.0.0-test",
    logger: silentLogger,
    handleStream,
    serveState: (stream, origin) => void serveState(stream, { ...state, logger: silentLogger }, origin),
    countContainers: () => ({ running: 1, total: 2 }),
  });
}

/** State in memory that applies nothing by itself. */
export function makeState(db = new Database(":memory:")): LinkedState {
  const desired = new DesiredState({ store: new DesiredStore(db), logger: silentLogger, timer: realTimer, random: Math.random });
  return { desired, observed: new ObservedState(silentLogger) };
}

export async function untilOnline(control: TestControl, hostId: string, isOnline = true): Promise<void> {
  await until(() => control.services.links.state(hostId).isOnline === isOnline);
}

/** Waits for a condition; gives up after 30 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("the condition did not come true within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Answers every call with what it was asked, except streams of its own: see the paths. */
export const echoEngine: EngineHandler = (stream, headers) => {
  const path = headers[":path"] ?? "";
  stream.on("error", () => undefined);
  if (headers["x-flotilla-hijack-body"] !== undefined) {
    hijack(stream, Number(headers["x-flotilla-hijack-body"]), path);
    return;
  }
  if (/\/events/.test(path)) {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size < 65_536) chunks.push(chunk);
  });
  stream.on("end", () => {
    const status = /no-such/.test(path) ? 404 : 200;
    const body = JSON.stringify(
      status === 404
        ? { message: "No such container: no-such" }
        : { path, method: headers[":method"], headers, size, body: Buffer.concat(chunks).toString("utf8") },
    );
    stream.respond({ ":status": status, "content-type": "application/json", "x-flotilla-secret": "inside", "api-version": "1.47" });
    stream.end(body);
  });
};

/** Echoes raw bytes until the other end is done, then says goodbye. */
function hijack(stream: ServerHttp2Stream, bodyBytes: number, path: string): void {
  if (/no-such/.test(path)) {
    stream.respond({ ":status": 404, "content-type": "application/json" });
    stream.end(JSON.stringify({ message: "No such exec instance" }));
    return;
  }
  stream.respond({ ":status": 200, "content-type": "application/vnd.docker.raw-stream", "x-flotilla-hijack": "101" });
  let skip = bodyBytes;
  stream.on("data", (chunk: Buffer) => {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) stream.write(rest);
  });
  stream.on("end", () => stream.end("goodbye\n"));
}
