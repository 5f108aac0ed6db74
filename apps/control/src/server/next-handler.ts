import { join } from "node:path";
import next from "next";
import type { PageHandler } from "./http/front-door.ts";

/** The dashboard, as it was built into `apps/control/.next`. */
export async function createNextHandler(options: {
  hostname: string;
  port: number;
}): Promise<{ handle: PageHandler; close(): Promise<void> }> {
  const app = next({ dev: false, dir: join(import.meta.dirname, "..", ".."), hostname: options.hostname, port: options.port, quiet: true });
  await app.prepare();
  const handle = app.getRequestHandler();
  return { handle: (req, res) => handle(req, res), close: () => app.close() };
}
