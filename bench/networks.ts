// A thousand overlay networks on one host, with a container on each: what one costs in time and memory, and whether the last costs as
// much as the first. The agent's own network part, without containers' processes.
import { readFileSync } from "node:fs";
import { sampleNetwork } from "@flotilla/protocol/sample-network";
import { containerRequest, HOST_ADDRESS, NetworkLab, OUTSIDE_ADDRESS } from "../test/host/network-lab.ts";
import type { Case, Row } from "./case.ts";

/** How many there are when it is looked at. */
const MARKS = [100, 300, 1_000];
const NETWORKS = Math.max(...MARKS);
const STEP = 100;

export const networks: Case = async () => {
  const lab = new NetworkLab();
  try {
    await lab.joinOutside();
    return await measure(lab);
  } finally {
    await lab.close();
  }
};

async function measure(lab: NetworkLab): Promise<Row[]> {
  const { networks: manager } = lab.open("thousand");
  await manager.reconcile([]);
  const bodies = new Map(Array.from({ length: NETWORKS }, (_, index) => [stateOf(index).id, stateOf(index)]));
  const toldAt = performance.now();
  const failures = await manager.applyOverlays(bodies, new Map());
  if (failures.size > 0) throw new Error([...failures.values()][0]);
  const toldMs = performance.now() - toldAt;
  const stepsMs: number[] = [];
  const cpuMs: number[] = [];
  const memoryKib = new Map<number, number>();
  const before = usedKib();
  for (let first = 0; first < NETWORKS; first += STEP) {
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    for (let index = first; index < first + STEP; index += 1) {
      const containerId = idOf("c", index);
      await manager.attach(containerRequest(containerId, { endpoints: [{ networkName: `net${index}`, aliases: [] }] }));
    }
    stepsMs.push((performance.now() - startedAt) / STEP);
    const { user, system } = process.cpuUsage(cpu);
    cpuMs.push((user + system) / 1_000 / STEP);
    memoryKib.set(first + STEP, (usedKib() - before) / (first + STEP));
  }
  const row = (name: string, unit: string, flotilla: number): Row => ({ name, unit, flotilla, dockerd: undefined, ratio: undefined, target: "" }); // prettier-ignore
  return [
    { ...row(`${NETWORKS} networks: hearing of one`, "ms", toldMs / NETWORKS), samples: { stepsMs, cpuMs } },
    ...MARKS.flatMap((mark): Row[] => {
      const at = mark / STEP - 1;
      const last = (of: readonly number[]): Partial<Row> & { flotilla: number } => {
        const [first = Number.NaN, ms = Number.NaN] = [of[0], of[at]];
        return { flotilla: ms, ...(at === 0 ? {} : { ratio: ms / first, target: "1.5" }) };
      };
      return [
        { ...row(`${mark} networks: router and container of one of the last hundred`, "ms", 0), ...last(stepsMs) },
        { ...row(`${mark} networks: the agent's processor time for it`, "ms", 0), ...last(cpuMs) },
        row(`${mark} networks: memory of one with its container's namespace`, "KiB", memoryKib.get(mark) ?? Number.NaN),
      ];
    }),
  ];
}

const idOf = (letter: string, index: number): string => letter.repeat(60) + index.toString(16).padStart(4, "0");

const stateOf = (index: number) => ({
  ...sampleNetwork(2, {
    id: idOf("a", index),
    name: `net${index}`,
    vni: 9_000 + index,
    hosts: [HOST_ADDRESS, OUTSIDE_ADDRESS].map((underlay, at) => ({ number: at + 1, underlay, tunnels: [] })),
  }),
  self: 1,
});

/** Of the whole machine: network namespaces and tables are the kernel's. */
function usedKib(): number {
  const text = readFileSync("/proc/meminfo", "utf8");
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]);
  return read("MemTotal") - read("MemAvailable");
}
