import { readdirSync, readFileSync } from "node:fs";
import { attach } from "./attach.ts";
import { build } from "./build.ts";
import { compose } from "./compose.ts";
import { api } from "./api.ts";
import { authorizer } from "./authorizer.ts";
import type { Case, Engines, Row } from "./case.ts";
import { residentBytes, treeOf } from "./dockerd.ts";
import { command, interleave, median, residentSetBytes } from "./measure.ts";
import { cutPull } from "./cut-pull.ts";
import { networks } from "./networks.ts";
import { services } from "./services.ts";
import { overlay } from "./overlay.ts";
import { pages } from "./pages.ts";
import { planner } from "./planner.ts";
import { proxy } from "./proxy.ts";
import { pull, push } from "./registry.ts";
import { registry } from "./registry-server.ts";
import { stacks } from "./stacks.ts";

const MIB = 1024 * 1024;

const dockerOf = (host: string, ...args: string[]): Promise<{ bytes: number; lines: number }> => command(["docker", "-H", host, ...args]);

async function compare(
  engines: Engines,
  what: {
    name: string;
    target: string;
    rounds?: number;
    run(host: string, round: number): Promise<unknown>;
    after?(host: string): Promise<unknown>;
  },
): Promise<Row> {
  const contender = (name: string, host: string): { name: string; run(round: number): Promise<void> } => ({
    name,
    run: async (round) => {
      await what.run(host, round);
    },
  });
  const { samples } = await interleave(what.name, what.rounds ?? engines.rounds, [
    contender("dockerd", engines.dockerd.host),
    contender("flotilla", engines.flotilla.host),
  ]);
  const flotilla = median(samples["flotilla"] ?? []);
  const dockerd = median(samples["dockerd"] ?? []);
  return { name: what.name, unit: "ms", flotilla, dockerd, ratio: flotilla / dockerd, target: what.target, samples };
}

const run: Case = async (engines) => [
  await compare(engines, {
    name: "docker run --rm busybox true",
    target: "≤ 0.25",
    run: (host) => dockerOf(host, "run", "--rm", "busybox", "true"),
  }),
];

const exec: Case = async (engines) => {
  const hosts = [engines.dockerd.host, engines.flotilla.host];
  for (const host of hosts) await dockerOf(host, "run", "-d", "--name", "bench-exec", "busybox", "sleep", "3600");
  const row = await compare(engines, {
    name: "docker exec … true",
    target: "≤ 0.5",
    run: (host) => dockerOf(host, "exec", "bench-exec", "true"),
  });
  for (const host of hosts) await dockerOf(host, "rm", "-f", "bench-exec");
  return [row];
};

/** 50 detached starts at once; removing them again is not measured. */
const parallel: Case = async (engines) => {
  const names = Array.from({ length: 50 }, (_, at) => `bench-parallel-${at}`);
  const samples: Record<string, number[]> = { dockerd: [], flotilla: [] };
  for (let round = 0; round < 3; round++) {
    for (const [name, host] of [
      ["dockerd", engines.dockerd.host],
      ["flotilla", engines.flotilla.host],
    ] as const) {
      const startedAt = performance.now();
      await Promise.all(names.map((container) => dockerOf(host, "run", "-d", "--name", container, "busybox", "sleep", "3600")));
      samples[name]?.push(performance.now() - startedAt);
      await dockerOf(host, "rm", "-f", ...names);
    }
  }
  const flotilla = median(samples["flotilla"] ?? []);
  const dockerd = median(samples["dockerd"] ?? []);
  return [{ name: "50 × docker run -d in parallel", unit: "ms", flotilla, dockerd, ratio: flotilla / dockerd, target: "≤ 0.35", samples }];
};

const LOG_LINES = 1_000_000;
const LOG_PROGRAM = `i=0; l=$(head -c 99 /dev/zero | tr '\\0' x); yes "$l" | head -n ${LOG_LINES}`;

/** A million lines of 100 bytes: how fast they are written, how fast `docker logs` reads them back, and that none is lost. */
const logs: Case = async (engines) => {
  const written: Record<string, number> = {};
  const read: Record<string, number> = {};
  for (const [name, host] of [
    ["dockerd", engines.dockerd.host],
    ["flotilla", engines.flotilla.host],
  ] as const) {
    const startedAt = performance.now();
    await dockerOf(host, "run", "-d", "--name", "bench-logs", "busybox", "sh", "-c", LOG_PROGRAM);
    await dockerOf(host, "wait", "bench-logs");
    written[name] = performance.now() - startedAt;
    const readAt = performance.now();
    const { lines } = await dockerOf(host, "logs", "bench-logs");
    read[name] = performance.now() - readAt;
    if (lines !== LOG_LINES) throw new Error(`${name} gave ${lines} of ${LOG_LINES} lines back`);
    await dockerOf(host, "rm", "-f", "bench-logs");
  }
  const row = (name: string, times: Record<string, number>, target: string): Row => ({
    name,
    unit: "ms",
    flotilla: times["flotilla"] ?? Number.NaN,
    dockerd: times["dockerd"] ?? Number.NaN,
    ratio: (times["flotilla"] ?? Number.NaN) / (times["dockerd"] ?? Number.NaN),
    target,
  });
  return [row("1,000,000 log lines × 100 B: write", written, "≤ 1.0"), row("1,000,000 log lines × 100 B: docker logs", read, "≤ 0.33")];
};

/** Processes that serve an engine: those that name its directory, and what they started (but not the containers). */
function enginePids(needle: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(needle);
      } catch {
        return false;
      }
    });
}

const memory: Case = async (engines) => {
  const count = 20;
  const names = Array.from({ length: count }, (_, at) => `bench-memory-${at}`);
  const targets = [
    {
      name: "dockerd",
      host: engines.dockerd.host,
      pids: () => [...new Set([...engines.dockerd.pids(), ...enginePids(`${engines.dir}/dockerd`)])],
    },
    {
      name: "flotilla",
      host: engines.flotilla.host,
      pids: () => [...new Set([...treeOf(engines.flotilla.pid()), ...enginePids(engines.flotilla.dir)])],
    },
  ];
  // A few runs first: an engine that has just been started has not touched most of its code.
  for (let i = 0; i < 5; i++) for (const target of targets) await dockerOf(target.host, "run", "--rm", "busybox", "true");
  const resident = {
    flotilla: residentSetBytes(engines.flotilla.pid()) / MIB,
    dockerd: residentSetBytes(engines.dockerd.pids()[0] ?? 0) / MIB,
  };
  const idle: Record<string, number> = {};
  const each: Record<string, number> = {};
  for (const target of targets) {
    idle[target.name] = residentBytes(target.pids()) / MIB;
    for (const name of names) await dockerOf(target.host, "run", "-d", "--name", name, "busybox", "sleep", "3600");
    each[target.name] = (residentBytes(target.pids()) / MIB - (idle[target.name] ?? 0)) / count;
    await dockerOf(target.host, "rm", "-f", ...names);
  }
  const row = (name: string, values: Record<string, number>, target: string): Row => ({
    name,
    unit: "MiB",
    flotilla: values["flotilla"] ?? Number.NaN,
    dockerd: values["dockerd"] ?? Number.NaN,
    ratio: (values["flotilla"] ?? Number.NaN) / (values["dockerd"] ?? Number.NaN),
    target,
  });
  return [
    row("memory, idle, the engine's own process (resident)", resident, "≤ 130 MB"),
    row("memory, idle, all processes (Pss)", idle, "≤ 130 MB"),
    row("memory, each running container with its shim", each, "≤ 3 MB"),
  ];
};

export const CASES: Readonly<Record<string, Case>> = {
  run,
  exec,
  parallel,
  logs,
  memory,
  proxy,
  pull,
  "cut-pull": cutPull,
  push,
  registry,
  build,
  authorizer,
  planner,
  compose,
  stacks,
  overlay,
  attach,
  networks,
  services,
  pages,
  api,
};
