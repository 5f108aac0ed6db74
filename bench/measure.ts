import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** One way of doing the measured thing: a peer's or ours. */
export type Contender = {
  name: string;
  /** Not measured. */
  before?(): Promise<unknown>;
  run(round: number): Promise<void>;
};

export type Measurement = {
  name: string;
  /** Milliseconds of each round, per contender. */
  samples: Record<string, number[]>;
};

/**
 * Runs the contenders in turn, round after round, so that what else the machine does hits all of them alike.
 * The first round warms up and is not counted.
 */
export async function interleave(name: string, rounds: number, contenders: readonly Contender[]): Promise<Measurement> {
  const samples: Record<string, number[]> = Object.fromEntries(contenders.map((contender) => [contender.name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      await contender.before?.();
      const startedAt = performance.now();
      await contender.run(round);
      if (round > 0) samples[contender.name]?.push(performance.now() - startedAt);
    }
  }
  return { name, samples };
}

/** Middle value; NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** VmRSS of a process in bytes, pages that it shares with others included; NaN when it is gone. */
export function residentSetBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** No command of a benchmark takes so long: one that does hangs, and the benchmark must end. */
const TIMEOUT_MS = 120_000;

/** Runs a command to its end, its output dropped or counted; a failure ends the benchmark with the command's own words. */
export function command(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<{ bytes: number; lines: number }> {
  const [file, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { PATH: process.env["PATH"] ?? "", HOME: "/root", ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let bytes = 0;
    let lines = 0;
    const errors: Buffer[] = [];
    const timer = setTimeout(() => {
      errors.push(Buffer.from(`(ended after ${TIMEOUT_MS / 1000} s)`));
      child.kill("SIGKILL");
    }, TIMEOUT_MS);
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
    });
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve({ bytes, lines });
      else reject(new Error(`${argv.join(" ")} exited with ${code}: ${Buffer.concat(errors).toString("utf8").slice(0, 500)}`));
    });
  });
}
