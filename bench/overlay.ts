// The overlay's data path beside plain routes and beside a real Docker swarm, in one run: processor time of the whole path, which other
// load on the machine moves least (netcost.c).
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { makeBusyboxTar } from "../test/support/busybox-image.ts";
import { runCommand } from "../test/support/docker.ts";
import type { Case, Engines, Row } from "./case.ts";
import { command, median } from "./measure.ts";
import { makeOverlayPaths, type Path } from "./overlay-paths.ts";
import { startSwarm, type Swarm } from "./swarm.ts";

const SECONDS = "0.3";
const KINDS = ["packet", "roundtrip", "kib"] as const;
type Kind = (typeof KINDS)[number];
type Costs = Record<Kind, number[]>;

export const overlay: Case = async ({ dir, rounds }) => {
  const program = join(dir, "netcost");
  await command(["cc", "-O2", "-o", program, join(import.meta.dirname, "netcost.c")]);
  const { close, ...paths } = await makeOverlayPaths();
  const swarm = await trySwarm(dir);
  try {
    const all: Record<string, Path> = { ...paths, ...(swarm === undefined ? {} : { swarm: swarm.path }) };
    const costs: Record<string, Costs> = Object.fromEntries(Object.keys(all).map((name) => [name, { packet: [], roundtrip: [], kib: [] }]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const [name, path] of Object.entries(all)) {
        const cost = await measure(program, path);
        for (const kind of KINDS) if (round > 0) costs[name]?.[kind].push(cost[kind]);
      }
    }
    return rowsOf(costs);
  } finally {
    await close();
    await swarm?.close();
  }
};

/** What stands in the way of a swarm on this machine is said, and the rest is measured. */
async function trySwarm(dir: Engines["dir"]): Promise<Swarm | undefined> {
  try {
    // The benchmark has made the image's tree in `dir` for the other engines.
    const own = mkdtempSync(join(dir, "swarm-"));
    return await startSwarm(own, await makeBusyboxTar(own));
  } catch (error) {
    console.error(`… overlay: no swarm to measure beside: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function measure(program: string, { from, to, address, port }: Path): Promise<Record<Kind, number>> {
  const { exitCode, stdout, stderr } = await runCommand([program, from, to, address, String(port), SECONDS]);
  if (exitCode !== 0) throw new Error(`netcost: ${stderr}`);
  const read = (kind: Kind): number => Number(new RegExp(`^${kind} ([\\d.]+)$`, "m").exec(stdout)?.[1]);
  return { packet: read("packet"), roundtrip: read("roundtrip"), kib: read("kib") };
}

const LABELS: Readonly<Record<Kind, string>> = { packet: "UDP packet of 64 B", roundtrip: "UDP round trip", kib: "TCP per CPU" };
const BARE_TARGETS: Readonly<Record<Kind, string>> = { packet: "≤ 1.30", roundtrip: "≤ 1.30", kib: "≥ 0.80" };
const PRODUCT_TARGETS: Readonly<Record<Kind, string>> = { packet: "≤ 1.45", roundtrip: "≤ 1.40", kib: "≥ 0.72" };

function rowsOf(costs: Record<string, Costs>): Row[] {
  const row = (kind: Kind, name: string, to: { contender: string; target: string; label: string }): Row => {
    const own = median(costs[name]?.[kind] ?? []);
    const other = median(costs[to.contender]?.[kind] ?? []);
    // Nanoseconds for a KiB of 8,192 bits.
    const value = (ns: number): number => (kind === "kib" ? 8_192 / ns : ns);
    return {
      name: `overlay: ${LABELS[kind]}, ${to.label}`,
      unit: kind === "kib" ? "Gbit/s" : "ns",
      flotilla: value(own),
      dockerd: value(other),
      ratio: value(own) / value(other),
      target: to.target,
      samples: { [name]: costs[name]?.[kind] ?? [], [to.contender]: costs[to.contender]?.[kind] ?? [] },
    };
  };
  const rows = KINDS.flatMap((kind) => [
    row(kind, "bare", { contender: "direct", target: BARE_TARGETS[kind], label: "no tables, of plain routes" }),
    row(kind, "product", { contender: "direct", target: PRODUCT_TARGETS[kind], label: "with 100 services, of plain routes" }),
    row(kind, "service", {
      contender: "direct",
      target: PRODUCT_TARGETS[kind],
      label: "through the address of the only service, of plain routes",
    }),
    row(kind, "serviceOf100", {
      contender: "direct",
      target: PRODUCT_TARGETS[kind],
      label: "through the address of one of 100 services, of plain routes",
    }),
  ]);
  if (costs["swarm"] === undefined) return rows;
  const beside = KINDS.map((kind) => row(kind, "product", { contender: "swarm", target: kind === "kib" ? "≥ 1.0" : "≤ 1.0", label: "with 100 services, of a Docker swarm" })); // prettier-ignore
  return [...rows, ...beside];
}
