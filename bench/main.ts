// `npm run bench`: Flotilla's engine beside Debian's dockerd, in one run, interleaved.
//
//   npm run bench                    everything
//   npm run bench -- run exec        the named cases
//   npm run bench -- --rounds 20     more rounds
//
// Prints a table of medians and ratios, and writes bench/results/<time>.json. The bounds are targets to look at, not
// assertions: other load on the machine moves milliseconds, the ratio less so.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { importBusybox, startTestAgent } from "../test/support/agent.ts";
import { makeBusyboxTar } from "../test/support/busybox-image.ts";
import type { Engines, Row } from "./case.ts";
import { CASES } from "./cases.ts";
import { makeDisk } from "./disk.ts";
import { startDockerd } from "./dockerd.ts";
import { command } from "./measure.ts";

const args = process.argv.slice(2);
const roundsAt = args.indexOf("--rounds");
const rounds = roundsAt === -1 ? 10 : Number(args[roundsAt + 1]);
const named = args.filter((arg, at) => !arg.startsWith("--") && (roundsAt === -1 || at !== roundsAt + 1));
const unknown = named.filter((name) => !(name in CASES));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`usage: npm run bench -- [--rounds N] [${Object.keys(CASES).join("|")} …]`);
  process.exit(2);
}

const base = mkdtempSync(join(tmpdir(), "flb-"));
const rows: Row[] = [];
let peerVersion = "";
process.on("exit", report);
let isStopped = false;
// Ends after the case that runs, and cleans up.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void (isStopped = true));
const disk = await makeDisk(base);
try {
  // Where the test agent and the control plane make their directories.
  process.env["TMPDIR"] = disk.path;
  await runCases(disk.path);
} finally {
  await disk.close();
  rmSync(base, { recursive: true, force: true });
}

async function runCases(dir: string): Promise<void> {
  const dockerd = await startDockerd(join(dir, "dockerd"));
  peerVersion = dockerd.version;
  try {
    const agent = await startTestAgent({ withoutImage: true });
    try {
      const engines: Engines = { dir, rounds, flotilla: agent, dockerd };
      await importBusybox(agent);
      await command(["docker", "-H", dockerd.host, "import", "--change", 'CMD ["sh"]', await makeBusyboxTar(dir), "busybox:latest"]);
      for (const [name, runCase] of Object.entries(CASES)) {
        if (isStopped || (named.length > 0 && !named.includes(name))) continue;
        await measureCase(name, () => runCase(engines));
      }
    } finally {
      await agent.close();
    }
  } finally {
    await dockerd.close();
  }
}

/** A case that fails is told of and does not keep the others from being measured. */
async function measureCase(name: string, work: () => Promise<Row[]>): Promise<void> {
  const startedAt = performance.now();
  try {
    rows.push(...(await work()));
    console.log(`… ${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  } catch (error) {
    console.error(`… ${name} FAILED: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

/** Also after a failure: what was measured until then is worth seeing. */
function report(): void {
  if (rows.length === 0) return;
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.name,
        {
          flotilla: show(row.flotilla, row.unit),
          dockerd: show(row.dockerd, row.unit),
          ratio: row.ratio?.toFixed(2) ?? "",
          target: row.target,
        },
      ]),
    ),
  );
  mkdirSync("bench/results", { recursive: true });
  const file = join("bench/results", `${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`);
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    peer: peerVersion,
  };
  writeFileSync(file, `${JSON.stringify({ machine, rounds, rows }, undefined, 2)}\n`);
  console.log(`written to ${file}`);
}

function show(value: number | undefined, unit: string): string {
  return value === undefined ? "" : `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`;
}
