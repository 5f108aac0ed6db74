// npm run fuzz -- --seconds 600 --seed 7
//
// Feeds everything that reads foreign input (the readers of parsers.ts, and the Docker API of a whole agent) for as long as one
// likes, each time by another seed. Ends at the first crash, 5xx or hang, and says which seed it was; tells how much memory is held.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startTunnelAgent, type TunnelAgent } from "../support/tunnel-agent.ts";
import { Chaos } from "./chaos.ts";
import { callAtRandom, chooseCall } from "./engine-calls.ts";
import { PARSERS } from "./parsers.ts";

const PATIENCE_MS = 60_000;

const { values } = parseArgs({ options: { seconds: { type: "string", default: "60" }, seed: { type: "string", default: String(Date.now() % 1e6) } } }); // prettier-ignore
const [seconds, first] = [Number(values.seconds), Number(values.seed)];
if (!(seconds > 0) || !Number.isInteger(first)) throw new Error("usage: npm run fuzz -- [--seconds N] [--seed S]");

const say = (text: string): void => void process.stdout.write(`${text}\n`);
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const heapMib = (): number => {
  collect();
  return Math.round(process.memoryUsage().heapUsed / 1024 / 1024);
};

say(`seed ${first}, ${seconds} s`);
const counts = new Map<string, number>();
const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
const host = await startTunnelAgent();
try {
  await host.importImage("fuzz", "busybox", "LABEL of=fuzz");
  const before = heapMib();
  const end = Date.now() + seconds * 1_000;
  for (let seed = first; Date.now() < end; seed += 1) await oneRound(host, seed);
  say([...counts].map(([name, times]) => `${name} ${times}`).join(", "));
  say(`heap in use: ${before} MiB at the beginning, ${heapMib()} MiB at the end`);
} finally {
  await host.close();
}

async function oneRound(agent: TunnelAgent, seed: number): Promise<void> {
  for (const { name, feed } of PARSERS) {
    await expectEnd(`${name}, seed ${seed}`, Promise.resolve(feed(new Chaos(seed))));
    count(name);
  }
  const call = chooseCall(agent, new Chaos(seed));
  const { status, wrong } = await expectEnd(`call, seed ${seed}: ${call.target}`, callAtRandom(agent, "fuzz", call));
  if (wrong !== undefined) throw new Error(`seed ${seed}: ${wrong}`);
  count(`calls answered ${Math.trunc(status / 100)}xx`);
}

async function expectEnd<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw new Error(what, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
