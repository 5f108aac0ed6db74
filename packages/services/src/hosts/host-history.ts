import type { HostLinks } from "../engine/host-links.ts";

const STEP_MS = 30_000;
const POINTS = 120;

/** Percent of the hosts' cores and memory that are used, oldest first, one for each step; null where none of them was heard. */
export type FleetHistory = { stepSeconds: number; cpuPercent: (number | null)[]; memoryPercent: (number | null)[] };

type Sample = { step: number; cpus: number; cpuPercent: number; usedBytes: number; totalBytes: number };

/**
 * The last hour of the hosts that are connected here: in memory, a sample each half minute, some kilobytes for each host. It begins anew
 * with the control plane; what must be kept for longer is read from /metrics by what keeps such things.
 */
export class HostHistory {
  readonly #samples = new Map<string, Sample[]>();
  readonly #links: HostLinks;
  readonly #nowMs: () => number;
  readonly #stop: () => void;

  constructor(links: HostLinks, nowMs: () => number) {
    this.#links = links;
    this.#nowMs = nowMs;
    this.#stop = links.onChange(({ hostId, kind }) => {
      if (kind === "stats") this.#note(hostId);
    });
  }

  close(): void {
    this.#stop();
    this.#samples.clear();
  }

  /** Of some hosts together: cores weigh CPU, bytes weigh memory. Begins with the first step that any of them was heard in. */
  read(hostIds: readonly string[]): FleetHistory {
    const last = Math.floor(this.#nowMs() / STEP_MS);
    const samples = hostIds.flatMap((id) => this.#samples.get(id) ?? []).filter(({ step }) => step > last - POINTS);
    const byStep = Map.groupBy(samples, ({ step }) => step);
    const first = samples.reduce((least, { step }) => Math.min(least, step), last + 1);
    const steps = Array.from({ length: last + 1 - first }, (_unused, index) => byStep.get(first + index) ?? []);
    return {
      stepSeconds: STEP_MS / 1_000,
      cpuPercent: steps.map((some) => share(some, ({ cpus, cpuPercent }) => [(cpus * cpuPercent) / 100, cpus])),
      memoryPercent: steps.map((some) => share(some, ({ usedBytes, totalBytes }) => [usedBytes, totalBytes])),
    };
  }

  #note(hostId: string): void {
    const { stats, facts } = this.#links.state(hostId);
    if (stats === null) return;
    const step = Math.floor(this.#nowMs() / STEP_MS);
    const before = this.#samples.get(hostId) ?? [];
    if (before.at(-1)?.step === step) before.pop();
    before.push({
      step,
      cpus: facts?.cpus ?? 1,
      cpuPercent: stats.cpuPercent,
      usedBytes: stats.memoryUsedBytes,
      totalBytes: stats.memoryTotalBytes,
    });
    this.#samples.set(hostId, before.slice(-POINTS));
    this.#forget(step);
  }

  /** Hosts that were not heard for the whole time, such as removed ones. */
  #forget(step: number): void {
    for (const [hostId, samples] of this.#samples) if ((samples.at(-1)?.step ?? 0) <= step - POINTS) this.#samples.delete(hostId);
  }
}

function share(samples: readonly Sample[], of: (sample: Sample) => [part: number, whole: number]): number | null {
  const [part, whole] = samples.map(of).reduce<[number, number]>((sum, [a, b]) => [sum[0] + a, sum[1] + b], [0, 0]);
  return whole === 0 ? null : Math.round((1_000 * part) / whole) / 10;
}
