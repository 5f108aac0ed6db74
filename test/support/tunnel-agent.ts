import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2Server,
} from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { type GuardState, makeResource, resource } from "@flotilla/protocol";
import { createApiServer } from "../../agent/src/api/server.ts";
import { type AgentConfig, readConfig } from "../../agent/src/config.ts";
import { GuardStore } from "../../agent/src/guard/guard-store.ts";
import { cgroupPids, detectCgroups, listCgroups } from "../../agent/src/host/cgroup.ts";
import { mountsBelow } from "../../agent/src/host/mounts.ts";
import { type Agent, startAgent } from "../../agent/src/main.ts";
import { Database } from "../../agent/src/store/database.ts";
import { makeBusyboxTar } from "./busybox-image.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";

export type Answer = { status: number; text: string; json: Record<string, unknown> };
export type AskOptions = { body?: unknown; headers?: Record<string, string> };

/** A whole agent, asked as the control plane asks it: by HTTP/2, in the name of any namespace. */
export type TunnelAgent = {
  dir: string;
  config: AgentConfig;
  agent: Agent;
  ask(namespace: string, target: string, request?: AskOptions): Promise<Answer>;
  /** @throws Error for an answer that is an error. */
  must(namespace: string, target: string, request?: AskOptions): Promise<Answer>;
  /** The status, and the text of an answer of 400 and above; what streams is cut off. */
  peek(namespace: string, target: string, request?: AskOptions): Promise<{ status: number; text: string }>;
  /** Busybox as `repo:latest` of a namespace, with one more instruction; it sleeps. */
  importImage(namespace: string, repo: string, change: string): Promise<Answer>;
  /** Removes the containers of all namespaces; fails when anything else is left. */
  close(): Promise<void>;
};

/** @param guards guard rails that the host was told before it started. */
export async function startTunnelAgent(options: { guards?: (dir: string) => GuardState[] } = {}): Promise<TunnelAgent> {
  const dir = mkdtempSync(join(tmpdir(), "fln-"));
  const config = readConfig({ ...COMPILE_CACHE, FLOTILLA_DATA: join(dir, "data"), FLOTILLA_RUN: join(dir, "run") });
  if (options.guards !== undefined) await storeGuards(config, options.guards(dir));
  const agent = await startAgent(config, {
    logger: silentLogger,
    productVersion: "0.0.0-test",
    // The desired state of a host that has joined nobody is empty.
    isAlone: options.guards !== undefined,
  });
  const server = createApiServer({ routes: agent.routes, productVersion: "0.0.0-test", logger: silentLogger });
  const tunnel = createHttp2Server();
  tunnel.on("stream", (stream, headers) => server.handleHttp2Stream(stream, headers));
  await new Promise<void>((resolve) => tunnel.listen(join(dir, "h2.sock"), resolve));
  const client = connectHttp2("http://tunnel", { createConnection: () => connect(join(dir, "h2.sock")) });
  const tar = readFileSync(await makeBusyboxTar(dir));
  const ask: TunnelAgent["ask"] = (namespace, target, request = {}) => askOver(client, { namespace, target, request });
  const must: TunnelAgent["must"] = async (namespace, target, request) => {
    const answer = await ask(namespace, target, request);
    if (answer.status >= 400) throw new Error(`${target}: ${answer.status} ${answer.text}`);
    return answer;
  };
  return {
    dir,
    config,
    agent,
    ask,
    must,
    peek: (namespace, target, request = {}) => peekOver(client, { namespace, target, request }),
    importImage: (namespace, repo, change) => {
      const query = `fromSrc=-&repo=${repo}&tag=latest&changes=${encodeURIComponent(change)}&changes=CMD%20sleep%201000`;
      return must(namespace, `POST /images/create?${query}`, { body: tar });
    },
    close: () => closeAll({ agent, client, tunnel, config, dir }),
  };
}

const resourceBody = resource.shape.body;

async function storeGuards(config: AgentConfig, guards: readonly GuardState[]): Promise<void> {
  mkdirSync(config.dataDir, { recursive: true });
  const db = new Database(join(config.dataDir, "agent.db"));
  await new GuardStore(db).apply(guards.map((guard) => makeResource(`guard/${guard.namespace}`, resourceBody.parse(guard))));
  db.close();
}

async function closeAll(open: { agent: Agent; client: ClientHttp2Session; tunnel: Http2Server; config: AgentConfig; dir: string }) {
  const { agent, client, tunnel, config, dir } = open;
  await agent.removeContainers();
  client.destroy();
  await new Promise((resolve) => tunnel.close(resolve));
  await agent.close();
  const layout = detectCgroups();
  const parent = `/flotilla-${config.instance}`;
  const left = [...mountsBelow(dir), ...listCgroups(layout, parent), ...cgroupPids(layout, parent)];
  if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
  rmSync(dir, { recursive: true, force: true });
}

type Asked = { namespace: string; target: string; request: AskOptions };

function send(client: ClientHttp2Session, { namespace, target, request }: Asked): { stream: ClientHttp2Stream; status: Promise<number> } {
  const [method = "GET", path = "/"] = target.split(" ");
  const isBytes = Buffer.isBuffer(request.body);
  const type: Record<string, string> =
    request.body === undefined ? {} : { "content-type": isBytes ? "application/x-tar" : "application/json" };
  const stream = client.request({ ":method": method, ":path": path, "x-flotilla-namespace": namespace, ...type, ...request.headers });
  const status = new Promise<number>((resolve, reject) => {
    stream.on("response", (headers) => resolve(Number(headers[":status"])));
    stream.on("error", reject);
    stream.on("close", () => reject(new Error(`${target}: closed without an answer`)));
  });
  if (request.body === undefined) stream.end();
  else stream.end(isBytes ? request.body : JSON.stringify(request.body));
  return { stream, status };
}

async function peekOver(client: ClientHttp2Session, asked: Asked): Promise<{ status: number; text: string }> {
  const sent = send(client, asked);
  const status = await sent.status;
  if (status >= 400) return { status, text: await readText(sent.stream) };
  sent.stream.close(constants.NGHTTP2_CANCEL);
  return { status, text: "" };
}

async function readText(stream: ClientHttp2Stream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function askOver(client: ClientHttp2Session, asked: Asked): Promise<Answer> {
  const { stream, status } = send(client, asked);
  const [text, code] = await Promise.all([readText(stream), status]);
  return {
    status: code,
    text,
    json: text.startsWith("{") && !text.includes("\n{") ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}
