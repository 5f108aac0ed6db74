import { schedule, type ScheduleHost, type ServiceDemand } from "../packages/planner/src/index.ts";
import type { Case, Row } from "./case.ts";
import { median } from "./measure.ts";

const REPLICAS_PER_SERVICE = 20;
const REPLICAS_PER_HOST = 10;

/** How long the scheduler takes on one core, from a hundred replicas to a hundred thousand. There is no peer. */
export const planner: Case = async ({ rounds }) =>
  [100, 1_000, 10_000, 100_000].map((replicas): Row => {
    const samples = Array.from({ length: Math.min(rounds, 5) }, () => planOnce(replicas));
    const target = replicas === 10_000 ? "<= 1000 ms" : "near linear";
    const name = `plan ${replicas} replicas over ${replicas / REPLICAS_PER_HOST} hosts`;
    return { name, unit: "ms", flotilla: median(samples), dockerd: undefined, ratio: undefined, target, samples: { flotilla: samples } };
  });

function planOnce(replicas: number): number {
  const hosts = Array.from({ length: replicas / REPLICAS_PER_HOST }, (_, index): ScheduleHost => ({
    id: `h${index}`, name: `h${index}`, labels: { disk: index % 2 === 0 ? "ssd" : "hdd", zone: `z${index % 3}` }, os: "linux", architecture: "amd64",
    availability: "active", isDown: false, cpuMillis: 64_000, memoryBytes: 2 ** 36, ports: [], images: [],
  })); // prettier-ignore
  const constraint = { kind: "label", label: "disk", operator: "==", value: "ssd" } as const;
  const services = Array.from({ length: replicas / REPLICAS_PER_SERVICE }, (_, index): ServiceDemand => ({
    id: `s${index}`, name: `s${index}`, constraints: index % 4 === 0 ? [constraint] : [], preferences: [], strategy: "spread",
    maxPerHost: null, cpuMillis: 100, memoryBytes: 2 ** 26, hostPorts: [], volumes: [], image: "web", needsNetworks: false,
  })); // prettier-ignore
  const wanted = services.flatMap(({ id }) =>
    Array.from({ length: REPLICAS_PER_SERVICE }, (_, index) => ({ serviceId: id, slot: String(index) })),
  );
  const startedAt = performance.now();
  const { placements } = schedule({ hosts, services, placed: [], volumes: new Map(), wanted });
  const ms = performance.now() - startedAt;
  if (placements.length !== replicas) throw new Error(`${placements.length} of ${replicas} replicas were placed`);
  return ms;
}
