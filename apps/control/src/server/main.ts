// `node apps/control/src/server/main.ts`: the control plane as a process of its own. SIGTERM and SIGINT end it.
// Started by `flotilla up` it has an IPC channel: it says when it is ready, and ends when its parent is gone.
import { flushCompileCache } from "node:module";
import { toFlotillaError } from "@flotilla/core";
import { readControlConfig } from "./env.ts";
import { createNextHandler } from "./next-handler.ts";
import { createPinoLogger } from "./pino-logger.ts";
import { type Control, startControl } from "./start-control.ts";

const VERSION = "0.1.0";

/** Message to the parent; `apps/cli/src/up/control-process.ts` parses it. */
type Ready = { type: "ready"; url: string; publicUrl: string; setupUrl: string | null; localJoinToken: string };

async function main(): Promise<void> {
  const config = readControlConfig(process.env);
  const logger = createPinoLogger({ level: config.logLevel, isTerminal: process.stderr.isTTY });
  process.on("unhandledRejection", (reason) => {
    const error = toFlotillaError(reason);
    logger.error("a promise was rejected and nobody listened", { error: error.message, stack: error.stack });
  });
  // Next reads it when it is loaded.
  process.env["NEXT_TELEMETRY_DISABLED"] = "1";
  const pages = await createNextHandler({ hostname: config.listen.host, port: config.listen.port });
  const control = await startControl({ config, logger, version: VERSION, page: pages.handle });
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    control
      .close()
      .then(() => pages.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error("the control plane could not stop cleanly", { error: toFlotillaError(error).message });
          process.exit(1);
        },
      );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.once("disconnect", stop);
  logger.info("control plane is ready", { url: control.url });
  flushCompileCache();
  await sayReady(control, config.publicUrl);
}

async function sayReady(control: Control, publicUrl: string): Promise<void> {
  if (process.send === undefined) {
    if (control.setupUrl !== undefined) process.stdout.write(`Set up this Flotilla: ${control.setupUrl}\n`);
    return;
  }
  const ready: Ready = {
    type: "ready",
    url: control.url,
    publicUrl,
    setupUrl: control.setupUrl ?? null,
    localJoinToken: await control.issueLocalJoinToken(),
  };
  process.send(ready);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`flotilla: the control plane cannot start: ${toFlotillaError(error).message}\n`);
  process.exit(1);
}
