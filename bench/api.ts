import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../test/support/control.ts";
import type { Load, WorkerInput } from "./api-worker.ts";
import type { Case, Row } from "./case.ts";

const CONTAINERS = 1_000;
const CLIENTS = 100;
const CALLS = 500;

/** The three doors to the same list. */
const DOORS = [
  { name: "REST", path: `/api/v1/containers?limit=${CONTAINERS}` },
  { name: "tRPC", path: `/api/trpc/containers.list?input=${encodeURIComponent("{}")}` },
  { name: "Docker API", path: "/docker/bench/v1.47/containers/json?all=1" },
] as const;

/** A list of 1,000 containers of one host under 100 clients, by each door in turn; host and clients have threads of their own. */
export const api: Case = async ({ rounds }) => {
  const control = await startTestControl({ withAdmin: true, env: { FLOTILLA_API_RATE: "0" } });
  const workers: Worker[] = [];
  try {
    workers.push(await startHost(control));
    const clients = startWorker({ kind: "clients" });
    workers.push(clients);
    const samples = new Map<string, number[]>(DOORS.map(({ name }) => [name, []]));
    const seconds = new Map<string, number>(DOORS.map(({ name }) => [name, 0]));
    for (let round = 0; round <= Math.min(rounds, 3); round++) {
      for (const { name, path } of DOORS) {
        const startedAt = performance.now();
        const found = await ask(clients, { url: control.url, path, token: ADMIN_TOKEN, clients: CLIENTS, calls: CALLS });
        if (round === 0) continue;
        samples.get(name)?.push(...found);
        seconds.set(name, (seconds.get(name) ?? 0) + (performance.now() - startedAt) / 1_000);
      }
    }
    return DOORS.flatMap(({ name }) => rowsOf(name, samples.get(name) ?? [], seconds.get(name) ?? Number.NaN));
  } finally {
    const [host] = workers;
    // Before it is told: it may be gone before the clients are.
    const hostEnd = host === undefined ? undefined : once(host, "exit");
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    host?.postMessage("end");
    for (const worker of workers.slice(1)) await worker.terminate();
    await hostEnd;
    await control.close();
  }
};

function startWorker(data: WorkerInput): Worker {
  return new Worker(new URL("./api-worker.ts", import.meta.url), { workerData: data });
}

async function startHost(control: TestControl): Promise<Worker> {
  const wanted = { name: "bench", expiresInMinutes: 5, uses: 1 };
  const { token } = (await control.call("hosts.joinTokens.create", wanted, { kind: "mutation", token: ADMIN_TOKEN })) as { token: string };
  const worker = startWorker({ kind: "host", url: control.url, token, containers: CONTAINERS });
  for (;;) {
    const hosts = (await control.call("hosts.list", undefined, { token: ADMIN_TOKEN })) as { state: string }[];
    if (hosts.some(({ state }) => state === "online")) return worker;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask(clients: Worker, load: Load): Promise<number[]> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  clients.postMessage(load);
  const [answer] = (await once(clients, "message")) as [{ milliseconds?: number[]; error?: string }];
  if (answer.milliseconds === undefined) throw new Error(answer.error);
  return answer.milliseconds;
}

function rowsOf(door: string, samples: readonly number[], seconds: number): Row[] {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  const row = (name: string, unit: string, value: number): Row => {
    return {
      name: `${door}: ${CONTAINERS} containers, ${CLIENTS} clients: ${name}`,
      unit,
      flotilla: value,
      dockerd: undefined,
      ratio: undefined,
      target: "",
    };
  };
  return [row("p50", "ms", at(0.5)), row("p99", "ms", at(0.99)), row("calls a second", "1/s", samples.length / seconds)];
}
