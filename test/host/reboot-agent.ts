// The network part of an agent as a process of a lab's host, without engine, images and link: what a boot has to bring back of an
// overlay network. `node reboot-agent.ts [NETWORK.json]`: the network is told at the first boot only; at all others everything is
// known from the host's durable data. Prints the address of its one container when it is on the network, and runs until it is killed.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { readConfig } from "../../agent/src/config.ts";
import { EventBus } from "../../agent/src/events/bus.ts";
import { createNetworkManager } from "../../agent/src/network/network-manager.ts";
import { Database } from "../../agent/src/store/database.ts";

const config = readConfig(process.env);
const [, , file] = process.argv;
for (const path of [config.dataDir, config.runDir]) mkdirSync(path, { recursive: true });
const networks = createNetworkManager({
  config,
  db: new Database(join(config.dataDir, "agent.db")),
  events: new EventBus(),
  logger: silentLogger,
  // Names are a process of their own with tests of their own.
  resolver: { apply: () => Promise.resolve(), close: () => Promise.resolve() },
});
await networks.reconcile([]);
if (file !== undefined) {
  const network = JSON.parse(readFileSync(file, "utf8")) as { id: string };
  const failures = await networks.applyOverlays(new Map([[network.id, network]]), new Map());
  if (failures.size > 0) throw new Error([...failures.values()].join("; "));
}
const { endpoints } = await networks.attach({
  namespace: "default",
  containerId: "c0".repeat(32),
  hostname: "c",
  endpoints: [{ networkName: "net", aliases: [] }],
  ports: [],
});
process.stdout.write(`${endpoints[0]?.ipv4Address ?? ""}\n`);
setInterval(() => undefined, 1_000_000);
