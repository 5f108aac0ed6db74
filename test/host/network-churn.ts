// Attaches and detaches containers for ever, several at once, until it is killed: `FLOTILLA_DATA FLOTILLA_RUN DATABASE`.
import { silentLogger } from "@flotilla/core";
import { readConfig } from "../../agent/src/config.ts";
import { EventBus } from "../../agent/src/events/bus.ts";
import { createNetworkManager } from "../../agent/src/network/network-manager.ts";
import { Database } from "../../agent/src/store/database.ts";
import { containerRequest } from "./network-lab.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";

const LANES = 4;
const [data = "", runDir = "", database = ""] = process.argv.slice(2);
const config = readConfig({ ...COMPILE_CACHE, FLOTILLA_DATA: data, FLOTILLA_RUN: runDir });
const networks = createNetworkManager({ config, db: new Database(database), events: new EventBus(), logger: silentLogger });
await networks.reconcile(["steady"]);
await networks.attach(containerRequest("steady", { ports: [{ containerPort: 80, protocol: "tcp", hostIp: "", hostPort: 18_100 }] }));
process.stdout.write("ready\n");

async function churn(lane: number): Promise<void> {
  for (let count = 0; ; count += 1) {
    const id = `lane${lane}-${count}`;
    const ports = [{ containerPort: 80, protocol: "tcp", hostIp: "", hostPort: 0 } as const];
    await networks.attach(containerRequest(id, { namespace: `team-${count % 3}`, ports }));
    await networks.detach(id);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await Promise.all(Array.from({ length: LANES }, (_, lane) => churn(lane)));
