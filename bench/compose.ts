import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Case, Engines, Row } from "./case.ts";
import { command, median } from "./measure.ts";

const ROOT = join(import.meta.dirname, "..");
const SERVICES = 10;

/** Ten services of one image, half of them behind others. */
function project(dir: string): string {
  const services = Array.from({ length: SERVICES }, (_, at) => {
    const behind = at >= SERVICES / 2 ? `, depends_on: [s${at - SERVICES / 2}]` : "";
    return `  s${at}: {image: busybox, command: [sleep, "3600"], stop_signal: KILL, environment: {N: "${at}"}, labels: {bench: "yes"}${behind}}`;
  });
  mkdirSync(dir, { recursive: true });
  const file = join(dir, "docker-compose.yml");
  writeFileSync(file, `version: "3.7"\nservices:\n${services.join("\n")}\n`);
  return file;
}

type Contender = { name: "dockerd" | "flotilla"; compose: (...args: string[]) => Promise<unknown> };

function contenders(engines: Engines): Contender[] {
  const file = project(join(engines.dir, "compose"));
  const theirs = ["docker-compose", "-H", engines.dockerd.host, "-f", file];
  // As a person calls it: with the start of the command that brings Node.
  const ours = [join(ROOT, "scripts", "flotilla"), "compose", "--progress", "plain", "-H", engines.flotilla.host, "-f", file];
  return [
    { name: "dockerd", compose: (...args) => command([...theirs, ...args] as [string, ...string[]]) },
    { name: "flotilla", compose: (...args) => command([...ours, ...args] as [string, ...string[]]) },
  ];
}

/** `compose up` of ten services, and the same again with nothing to do, beside docker-compose 1.29 on dockerd. */
export const compose: Case = async (engines) => {
  const both = contenders(engines);
  const rounds = Math.min(engines.rounds, 5);
  const down = async (): Promise<void> => {
    for (const { compose } of both) await compose("down", "-t", "0");
  };
  await down();
  const samples: Record<string, Record<string, number[]>> = { first: {}, again: {} };
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const part of ["first", "again"] as const) {
      for (const { name, compose } of both) {
        const startedAt = performance.now();
        await compose("up", "-d");
        if (round > 0) (samples[part]![name] ??= []).push(performance.now() - startedAt);
      }
    }
    await down();
  }
  const row = (name: string, target: string, part: Record<string, number[]>): Row => {
    const [flotilla, dockerd] = [median(part["flotilla"] ?? []), median(part["dockerd"] ?? [])];
    return { name, unit: "ms", flotilla, dockerd, ratio: flotilla / dockerd, target, samples: part };
  };
  return [
    row(`compose up -d of ${SERVICES} services, beside docker-compose 1.29`, "≤ 0.35", samples["first"]!),
    row("compose up -d again, with nothing changed", "≤ 0.2", samples["again"]!),
  ];
};
