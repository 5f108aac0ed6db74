// An engine in a process of its own, for tests that kill it: `node engine-child.ts DATA RUN COMMAND`.
// `hold` runs the containers named on stdin as JSON and says "ready"; `load` runs, stops and removes without end.
import { randomBytes } from "node:crypto";
import { ContainerCreateBody } from "@flotilla/engine-api";
import { readConfig } from "../../agent/src/config.ts";
import { NS, openEngine, type Opened } from "./engine.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";

const [data = "", run = "", command = "", bodies = "[]"] = process.argv.slice(2);
const opened = await openEngine(readConfig({ ...COMPILE_CACHE, FLOTILLA_DATA: data, FLOTILLA_RUN: run }), []);
process.stdout.write("open\n");
if (command === "hold") await hold(opened);
else await Promise.all(Array.from({ length: 4 }, () => load(opened)));

async function hold({ engine }: Opened): Promise<void> {
  const containers = JSON.parse(bodies) as { name: string; body: unknown }[];
  for (const { name, body } of containers) {
    await engine.create({ namespace: NS, name, body: ContainerCreateBody.parse(body), isExempt: true });
    await engine.start(NS, name);
  }
  process.stdout.write("ready\n");
}

async function load({ engine }: Opened): Promise<void> {
  for (;;) {
    const kind = randomBytes(1).readUInt8(0) % 4;
    const body = ContainerCreateBody.parse({
      Image: "busybox",
      Cmd: kind === 0 ? ["true"] : ["sleep", "1000"],
      StopTimeout: 0,
      Volumes: kind === 1 ? { "/data": {} } : {},
      HostConfig: { AutoRemove: kind === 0, RestartPolicy: { Name: kind === 3 ? "always" : "no" } },
    });
    const { Id } = await engine.create({ namespace: NS, name: undefined, body, isExempt: true });
    await engine.start(NS, Id);
    if (kind === 1) await engine.stop(NS, Id, {});
    if (kind === 2) await engine.remove(NS, Id, { force: true, volumes: true, link: false });
  }
}
