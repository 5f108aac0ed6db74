import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";
import { FlotillaError } from "@flotilla/core";

/**
 * Holds a data directory for one process: an abstract unix socket named after it (unix(7)), which the kernel frees when
 * the process ends in whatever way.
 * @throws conflict when another process holds it.
 */
export async function lockDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  const name = createHash("sha256").update(realpathSync(directory)).digest("hex").slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new FlotillaError("conflict", `another control plane works on ${directory} already`, { cause: error })),
    );
    server.listen({ path: `\0flotilla-control-${name}` }, resolve);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
