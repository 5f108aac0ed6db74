import { mkdirSync, symlinkSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { Lab } from "../test/lab/lab.ts";
import { labDirectory } from "../test/lab/lab-plan.ts";
import type { Case, Row } from "./case.ts";
import { makeBusyboxTar } from "../test/support/busybox-image.ts";
import { median } from "./measure.ts";
import { API, NameWatch, socketOf, StartCount } from "./stack-watch.ts";

const SERVICES = ["s1", "s2", "s3"];
const REPLICAS = 20;
const HOSTS = 3;
const TOTAL = SERVICES.length * REPLICAS;
const NETWORK = "bare";
/** Ends at once, so that what is measured is the start. */
const BODY = { Image: "busybox", Cmd: ["sleep", "3600"], StopSignal: "SIGKILL" };

// Addresses of what ended rest for two minutes: a network of 254 would be full in the second round.
const STACK = `services:\n${SERVICES.map(
  (name) => `  ${name}: {image: busybox, command: [sleep, "3600"], stop_signal: KILL, networks: [net], deploy: {replicas: ${REPLICAS}}}\n`,
).join("")}networks: {net: {ipam: {config: [{subnet: 10.99.0.0/16}]}}}\n`;
const stackDetail = z.looseObject({ detail: z.array(z.looseObject({ replicas: z.array(z.unknown()) })) });
const created = z.object({ Id: z.string() });

/**
 * Sixty replicas over three hosts of a lab, from Apply until all run and their names lead to all of them on every host; beside the same sixty
 * containers, made and started by the engines' own API on a bridge of each host, until the last one runs.
 */
export const stacks: Case = async ({ dir, rounds }) => {
  const lab = await upOn(join(dir, "lab"));
  const probes: NameWatch[] = [];
  try {
    const own = join(dir, "stacks");
    mkdirSync(own);
    const tar = await makeBusyboxTar(own);
    for (const host of lab.hosts) await lab.docker(host, ["import", tar, "busybox:latest"], { timeoutMs: 120_000 });
    // A bridge of each host: nothing between hosts costs anything.
    for (const host of lab.hosts) await lab.docker(host, ["network", "create", NETWORK]);
    probes.push(...(await startProbes(lab)));
    const samples: Record<"bare" | "started" | "resolvable", number[]> = { bare: [], started: [], resolvable: [] };
    for (let round = 0; round <= Math.min(rounds, 5); round++) {
      const bare = await startBare(lab);
      const { startedMs, resolvableMs } = await startStack(lab, probes);
      // The first round warms up.
      if (round === 0) continue;
      samples.bare.push(bare);
      samples.started.push(startedMs);
      samples.resolvable.push(resolvableMs);
    }
    const row = (name: string, ours: number[], target: string): Row => {
      const [flotilla, dockerd] = [median(ours), median(samples.bare)];
      return { name, unit: "ms", flotilla, dockerd, ratio: flotilla / dockerd, target, samples };
    };
    return [
      row(`stack of ${TOTAL} replicas over ${HOSTS} hosts until all run, beside the engines' API`, samples.started, ""),
      row(`the same until all are resolvable on every host`, samples.resolvable, "≤ 1.5"),
    ];
  } finally {
    for (const probe of probes) probe.close();
    await lab.down();
  }
};

/** A lab whose hosts have their data on the bench's own disk: what was removed a moment ago costs the next containers nothing there (disk.ts). */
async function upOn(path: string): Promise<Lab> {
  const name = `b${process.pid}`;
  const link = labDirectory(name);
  mkdirSync(dirname(link), { recursive: true, mode: 0o711 });
  mkdirSync(path, { mode: 0o711 });
  symlinkSync(path, link);
  return Lab.up(name, { hostCount: HOSTS });
}

/** On each host something that asks for names in a network of a container, made once. */
async function startProbes(lab: Lab): Promise<NameWatch[]> {
  await lab.mutate("stacks.deploy", { name: "bench", files: { "compose.yaml": STACK } });
  await until(
    async () => (await replicasOf(lab)) === TOTAL,
    () => `${TOTAL} replicas that run`,
  );
  return Promise.all(lab.hosts.map((host) => NameWatch.start(lab, { host, network: "bench_net", names: SERVICES, count: REPLICAS })));
}

const OWN = encodeURIComponent(JSON.stringify({ label: ["com.docker.compose.project=bench"], status: ["running"] }));

async function replicasOf(lab: Lab): Promise<number> {
  const rows = await Promise.all(lab.hosts.map((host) => ask(lab, host, { method: "GET", path: `/containers/json?filters=${OWN}` })));
  return rows.reduce<number>((sum, row) => sum + z.array(z.unknown()).parse(row).length, 0);
}

/** Scaled from nothing: the network and its addresses are there, as they are for the bare engines. */
async function startStack(lab: Lab, probes: readonly NameWatch[]): Promise<{ startedMs: number; resolvableMs: number }> {
  const none = STACK.replaceAll(`replicas: ${REPLICAS}`, "replicas: 0");
  await lab.mutate("stacks.deploy", { name: "bench", files: { "compose.yaml": none } });
  await until(
    async () => {
      const { detail } = stackDetail.parse(await lab.query("stacks.get", { stack: "bench" }));
      return detail.every(({ replicas }) => replicas.length === 0);
    },
    () => "a stack without replicas",
  );
  await setTimeout(1_000);
  const starts = await StartCount.open(lab, "bench");
  try {
    const beganAt = performance.now();
    await lab.mutate("stacks.deploy", { name: "bench", files: { "compose.yaml": STACK } });
    await starts.reach(TOTAL);
    const startedMs = performance.now() - beganAt;
    await Promise.all(probes.map((probe) => probe.wait()));
    return { startedMs, resolvableMs: performance.now() - beganAt };
  } finally {
    starts.close();
  }
}

/** All at once, as many on each host. @returns milliseconds until the last one runs; what removes them is not measured. */
async function startBare(lab: Lab): Promise<number> {
  const beganAt = performance.now();
  const ids = await Promise.all(
    lab.hosts.map(async (host) => {
      const endpoints = { EndpointsConfig: { [NETWORK]: { Aliases: ["bare"] } } };
      const body = { ...BODY, HostConfig: { NetworkMode: NETWORK }, NetworkingConfig: endpoints };
      const one = async (): Promise<string> => {
        const { Id: id } = created.parse(await ask(lab, host, { method: "POST", path: "/containers/create", body }));
        await ask(lab, host, { method: "POST", path: `/containers/${id}/start` });
        return id;
      };
      return { host, ids: await Promise.all(Array.from({ length: TOTAL / HOSTS }, one)) };
    }),
  );
  const ms = performance.now() - beganAt;
  await Promise.all(ids.map(({ host, ids: own }) => lab.docker(host, ["rm", "-f", ...own])));
  await setTimeout(1_000);
  return ms;
}

type Call = { method: string; path: string; body?: object };

async function ask(lab: Lab, host: string, call: Call): Promise<unknown> {
  const text = await send(lab, host, call);
  return text === "" ? {} : JSON.parse(text);
}

/** One call of a host's engine, on its socket. @throws for an answer that is an error. */
function send(lab: Lab, host: string, { method, path, body }: Call): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: socketOf(lab, host), method, path: `${API}${path}`, headers: { "content-type": "application/json" } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path} on ${host}: ${text}`));
          else resolve(text);
        });
      },
    );
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Seldom enough not to be what is measured. */
const LOOK_MS = 100;

async function until(look: () => Promise<boolean>, what: () => string): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`${what()} did not come true in time`);
    await setTimeout(LOOK_MS);
  }
}
