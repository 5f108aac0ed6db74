// `npm run soak`: a cluster of three hosts that is mistreated for as long as one likes, and has to be well again each time.
//
//   npm run soak                      1,000 rounds
//   npm run soak -- --rounds 50       fewer
//   npm run soak -- --seed 7          the same mistreatment as another time
//
// Each round reboots a host, kills an agent, cuts hosts off from each other, sets a host's clock wrong or takes the control
// plane away, by chance of the seed, while
// one container calls another. Prints what each round lost, and ends with 1 when a round does not end well.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Lab } from "../lab/lab.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";

/** How long a cluster may take to be well again, on a machine that has other things to do. */
const PATIENCE_MS = 60_000;
const HOSTS = ["h1", "h2", "h3"] as const;
const { values } = parseArgs({ options: { rounds: { type: "string", default: "1000" }, seed: { type: "string", default: String(Date.now() % 100_000) } } }); // prettier-ignore
const rounds = Number(values.rounds);
const seed = Number(values.seed);
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) throw new Error("usage: npm run soak -- [--rounds N] [--seed N]");

const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** mulberry32: small, and the same for the same seed. */
let state = seed >>> 0;
function chance(below: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}
const pick = (): (typeof HOSTS)[number] => HOSTS[chance(HOSTS.length)] ?? "h1";

const directory = mkdtempSync(join(tmpdir(), "flotilla-soak-"));
const lab = await Lab.up(`s${process.pid}`, { hostCount: HOSTS.length, hasClocks: true });
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
const totals = { sent: 0, lost: 0, slowestMs: 0 };
try {
  await prepare();
  for (let round = 1; round <= rounds && !stop.signal.aborted; round += 1) await mistreat(round);
  say(`seed ${seed}: ${totals.lost} of ${totals.sent} pings lost, slowest recovery ${Math.round(totals.slowestMs)} ms`);
} catch (error) {
  say(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  for (const host of HOSTS) say(`--- ${host}\n${lab.log(host).slice(-2_000)}`);
  process.exitCode = 1;
} finally {
  await lab.down();
  rmSync(directory, { recursive: true, force: true });
}

async function docker(host: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.docker(host, args);
  if (exitCode !== 0) throw new Error(`docker ${args.join(" ")} on ${host}: ${stderr}`);
  return stdout.trim();
}

async function prepare(): Promise<void> {
  const tar = await makeBusyboxTar(directory);
  for (const host of HOSTS) await docker(host, "import", "--change", 'CMD ["sh"]', tar, "busybox:latest");
  await docker("h1", "network", "create", "-d", "overlay", "soak");
  for (const host of HOSTS) {
    await until(`${host} has the network`, async () => (await docker(host, "network", "ls", "--format", "{{.Name}}")).includes("soak"));
    await docker(host, "run", "-d", "--restart", "always", "--name", `${host}-c`, "--network", "soak", "busybox", "sleep", "1000000");
  }
  await untilWell();
}

/** Every container reaches every other one by name. */
async function untilWell(): Promise<void> {
  for (const from of HOSTS) {
    for (const to of HOSTS.filter((host) => host !== from)) {
      await until(`${from} reaches ${to}`, async () => (await lab.docker(from, ["exec", `${from}-c`, "ping", "-c", "1", "-W", "1", `${to}-c`])).exitCode === 0); // prettier-ignore
    }
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    if (await condition()) return;
    await setTimeout(100);
  }
  throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
}

async function mistreat(round: number): Promise<void> {
  const { name, spared, act, after } = choose();
  const [from, to] = spared;
  // Between two hosts that nothing is done to: they should not notice.
  const pings = lab.docker(from, ["exec", `${from}-c`, "ping", "-i", "0.05", "-c", "60", "-W", "1", `${to}-c`]);
  await act();
  const startedAt = performance.now();
  await untilWell();
  if (after !== undefined) {
    await after();
    await untilWell();
  }
  const recoveryMs = performance.now() - startedAt;
  const [, sent = "0", received = "0"] = /(\d+) packets transmitted, (\d+) packets received/.exec((await pings).stdout) ?? [];
  totals.sent += Number(sent);
  totals.lost += Number(sent) - Number(received);
  totals.slowestMs = Math.max(totals.slowestMs, recoveryMs);
  say(`${round}: ${name}; well again after ${Math.round(recoveryMs)} ms; beside it ${Number(sent) - Number(received)} of ${sent} lost`);
}

type Mistreatment = { name: string; spared: readonly [string, string]; act: () => Promise<void>; after?: () => Promise<void> };

function choose(): Mistreatment {
  const victim = pick();
  const [first = "", second = ""] = HOSTS.filter((host) => host !== victim);
  const spared = [first, second] as const;
  const pauseMs = chance(2_000);
  const options: Omit<Mistreatment, "spared">[] = [
    { name: `${victim} reboots`, act: () => lab.reboot(victim) },
    {
      name: `${victim}'s agent is killed`,
      act: async () => (await lab.killAgent(victim), await setTimeout(pauseMs), lab.startAgent(victim)),
    },
    {
      name: `${victim} is cut off from ${first}`,
      act: async () => (await lab.cut(victim, first), await setTimeout(pauseMs), lab.heal(victim, first)),
    },
    {
      name: "the control plane is away",
      act: async () => (await lab.powerOff("control"), await setTimeout(pauseMs), lab.powerOn("control")),
    },
  ];
  const offsetSeconds = (chance(2) === 0 ? -1 : 1) * (1 + chance(86_400));
  options.push({
    name: `${victim}'s clock jumps by ${offsetSeconds} s, and back`,
    act: async () => (lab.setClock(victim, offsetSeconds), await setTimeout(pauseMs)),
    after: async () => (lab.setClock(victim, 0), await setTimeout(pauseMs)),
  });
  const chosen = options[chance(options.length)];
  if (chosen === undefined) throw new Error("nothing to do");
  return { ...chosen, spared };
}
