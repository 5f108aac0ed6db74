// Asks a network's resolver for names, in the network namespace of a container of it; told to by `process.send`. Ends with its parent.
import { Resolver } from "node:dns/promises";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";

const watch = z.object({ server: z.string(), names: z.array(z.string()), count: z.int(), id: z.int() });
export type Watch = z.infer<typeof watch>;

/** Often enough for the measure, seldom enough not to be what is measured: an answer costs the engine a part of a millisecond. */
const LOOK_MS = 10;
const resolver = new Resolver({ timeout: 1_000, tries: 1 });

process.once("disconnect", () => process.exit(0));
process.on("message", (message) => void wait(watch.parse(message)));
process.send?.("ready");

/** Answers once each name leads to so many addresses. */
async function wait({ server, names, count, id }: Watch): Promise<void> {
  resolver.setServers([server]);
  for (const name of names) while ((await addressesOf(name)) < count) await setTimeout(LOOK_MS);
  process.send?.(id);
}

async function addressesOf(name: string): Promise<number> {
  // A name that nobody has yet is an error of the resolver.
  const found = await resolver.resolve4(name).catch(() => []);
  return new Set(found).size;
}
