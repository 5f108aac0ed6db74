// What stands around the control plane in `npm run bench -- api`, off its thread: a host with many containers, or clients that ask.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { Agent, request } from "node:http";
import { joinControlPlane } from "../agent/src/link/join.ts";
import { makeContainers } from "../test/support/docker-engine.ts";
import { type EngineHandler, openLink } from "../test/support/linked-agent.ts";

export type Load = { url: string; path: string; token: string; clients: number; calls: number };
export type WorkerInput = { kind: "host"; url: string; token: string; containers: number } | { kind: "clients" };

const input = workerData as WorkerInput;
if (input.kind === "host") await serveHost(input);
else {
  parentPort?.on("message", (load: Load) => {
    askMany(load).then(
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      (milliseconds) => parentPort?.postMessage({ milliseconds }),
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      (error: Error) => parentPort?.postMessage({ error: error.message }),
    );
  });
}

/** An engine whose answer is made once: only what the control plane does with it is measured. */
async function serveHost({ url, token, containers }: { url: string; token: string; containers: number }): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "flb-"));
  await joinControlPlane({ dataDir, controlUrl: url, token, agentVersion: "0.0.0-bench" });
  const list = Buffer.from(JSON.stringify(makeContainers(containers)));
  const engine: EngineHandler = (stream, headers) => {
    stream.on("error", () => undefined);
    stream.resume();
    const path = headers[":path"] ?? "";
    stream.respond({ ":status": 200, "content-type": "application/json", "api-version": "1.47" });
    if (!path.includes("/events")) stream.end(path.includes("/containers/json") ? list : "{}");
  };
  const link = openLink(dataDir, engine);
  parentPort?.once("message", () => void link.close().then(() => rmSync(dataDir, { recursive: true, force: true })));
}

/** So many clients, each with one connection and one call after the other. @returns milliseconds of each call. */
async function askMany({ clients, calls, ...target }: Load): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const milliseconds: number[] = [];
  let left = calls;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      await ask(agent, target);
      milliseconds.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
  agent.destroy();
  return milliseconds;
}

function ask(agent: Agent, { url, path, token }: Pick<Load, "url" | "path" | "token">): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request(`${url}${path}`, { agent, headers: { authorization: `Bearer ${token}` } }, (res) => {
      res.resume();
      res.on("end", () => (res.statusCode === 200 ? resolve() : reject(new Error(`${path}: answered ${res.statusCode}`))));
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end();
  });
}
