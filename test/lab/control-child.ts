// The control plane without the dashboard, which a test need not build; overlay networks come from a file that the test
// writes. SIGTERM ends it.
import { join } from "node:path";
import { createPinoLogger } from "../../apps/control/src/server/pino-logger.ts";
import { readControlConfig } from "../../apps/control/src/server/env.ts";
import { startControl } from "../../apps/control/src/server/start-control.ts";
import { fileComposers, watchNetworks } from "./file-networks.ts";

const config = readControlConfig(process.env);
const logger = createPinoLogger({ level: config.logLevel, isTerminal: false });
// Hosts of a lab are joined before any of them is cut off: nobody has to come back first.
const control = await startControl({ config, logger, version: "0.1.0", judgeAfterMs: 0 });
const file = join(config.dataDir, "..", "networks.json");
Object.assign(control.services, { composers: [...control.services.composers, ...fileComposers(file)] });
const unwatch = watchNetworks(file, control.services);
process.once("SIGTERM", () => {
  unwatch();
  void control.close().then(() => process.exit(0));
});
