import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import { type Actor, authorize, containerInput, engineObject, readWholeLog, requireUser, type ServiceContext } from "@flotilla/services";

/**
 * `GET /api/download/log?host=NAME&id=CONTAINER`: all that the container wrote, as a text file. It is streamed from the host,
 * so its size does not matter. With the session's cookie the request must come from a page of this origin.
 */
export async function serveLog(
  services: ServiceContext,
  actor: Actor,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
): Promise<void> {
  if (req.method !== "GET") throw new FlotillaError("invalid", "a log is read with GET");
  const user = requireUser(actor);
  const search = new URL(req.url ?? "/", "http://control").searchParams;
  const parsed = containerInput.safeParse({ host: search.get("host"), id: search.get("id") });
  if (!parsed.success) throw new FlotillaError("invalid", "name a host and a container");
  const object = await engineObject(services, user, { kind: "container", ...parsed.data });
  await authorize(services, user, { action: "container.logs", object });
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const bytes = await readWholeLog(services, user, { ...parsed.data, signal: gone.signal });
  res.writeHead(200, {
    "content-type": "text/plain; charset=utf-8",
    "content-disposition": `attachment; filename="${fileName(parsed.data.id)}.log"`,
    "cache-control": "no-store",
  });
  await pipeline(Readable.from(bytes, { objectMode: false }), res);
}

/** Letters that mean nothing in a header or on any file system. */
function fileName(id: string): string {
  return id
    .replace(/^\//, "")
    .replace(/[^\w.-]/g, "_")
    .slice(0, 100);
}
