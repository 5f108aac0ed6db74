// The control plane without the dashboard, which a test need not build. SIGTERM ends it.
import { createPinoLogger } from "../../apps/control/src/server/pino-logger.ts";
import { readControlConfig } from "../../apps/control/src/server/env.ts";
import { startControl } from "../../apps/control/src/server/start-control.ts";

const config = readControlConfig(process.env);
const control = await startControl({ config, logger: createPinoLogger({ level: config.logLevel, isTerminal: false }), version: "0.1.0" });
process.once("SIGTERM", () => void control.close().then(() => process.exit(0)));
