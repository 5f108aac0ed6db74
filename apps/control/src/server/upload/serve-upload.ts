import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import {
  type Actor,
  audited,
  authorize,
  ENGINE_API,
  findHost,
  hostObject,
  hostRef,
  imageRef,
  requireUser,
  type ServiceContext,
  toEngineError,
} from "@flotilla/services";
import { z } from "zod";

const query = z.object({
  host: hostRef,
  repo: imageRef.optional(),
  tag: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/)
    .optional(),
  message: z.string().max(1000).optional(),
});
const changes = z.array(z.string().max(4096)).max(100);

/**
 * `POST /api/upload/image?host=NAME`: the tar of `docker save`; with `repo`, `tag` and `change` the tar of a root file
 * system. The bytes go straight to the host, with its back-pressure; its progress comes straight back.
 */
export async function serveUpload(
  services: ServiceContext,
  actor: Actor,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
): Promise<void> {
  if (req.method !== "POST") throw new FlotillaError("invalid", "an upload is a POST");
  // A header that a foreign page's form cannot send.
  if (req.headers["x-flotilla-request"] !== "1") throw new FlotillaError("invalid", "the header X-Flotilla-Request: 1 is missing");
  const user = requireUser(actor);
  const search = new URL(req.url ?? "/", "http://control").searchParams;
  const parsed = query.safeParse(Object.fromEntries([...search].filter(([name]) => name !== "change")));
  const change = changes.safeParse(search.getAll("change"));
  if (!parsed.success || !change.success) throw new FlotillaError("invalid", "the upload's parameters are not valid");
  const host = await findHost(services, user, parsed.data.host);
  const object = hostObject(host);
  await authorize(services, user, { action: "image.change", object });
  const { repo, tag, message } = parsed.data;
  const detail = { upload: true, repo: repo ?? null, tag: tag ?? null };
  await audited(services, { actor, action: "image.change", object, detail }, async () => {
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    const response = await services.links.get(host).request({
      method: "POST",
      path: `${ENGINE_API}${target({ repo, tag, message, change: change.data })}`,
      namespace: user.team.namespace,
      headers: { "content-type": "application/x-tar" },
      body: req,
      signal: gone.signal,
    });
    if (response.status >= 400) throw await toEngineError(response.status, response.body);
    res.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
    res.flushHeaders();
    await pipeline(response.body, res);
  });
}

function target(request: { repo: string | undefined; tag: string | undefined; message: string | undefined; change: string[] }): string {
  if (request.repo === undefined) return "/images/load?quiet=0";
  const search = new URLSearchParams({ fromSrc: "-", repo: request.repo });
  if (request.tag !== undefined) search.set("tag", request.tag);
  if (request.message !== undefined) search.set("message", request.message);
  for (const change of request.change) search.append("changes", change);
  return `/images/create?${search.toString()}`;
}
