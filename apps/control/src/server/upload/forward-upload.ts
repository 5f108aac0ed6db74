import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import type { Host } from "@flotilla/db";
import {
  type Action,
  type Actor,
  type AuditDetail,
  audited,
  authorize,
  ENGINE_API,
  findHost,
  hostObject,
  hostRef,
  isExemptFromGuards,
  requireUser,
  type ServiceContext,
  toEngineError,
  type UserActor,
} from "@flotilla/services";

export type Exchange = { req: IncomingMessage; res: ServerResponse };
export type Upload = Exchange & { user: UserActor; host: Host; action: Action; search: URLSearchParams };

/** Whether this upload may go to its host. @throws invalid, unauthenticated, forbidden, not_found. */
export async function openUpload(services: ServiceContext, actor: Actor, request: Exchange & { action: Action }): Promise<Upload> {
  const { req, action } = request;
  if (req.method !== "POST") throw new FlotillaError("invalid", "an upload is a POST");
  // A header that a foreign page's form cannot send.
  if (req.headers["x-flotilla-request"] !== "1") throw new FlotillaError("invalid", "the header X-Flotilla-Request: 1 is missing");
  const user = requireUser(actor);
  const search = new URL(req.url ?? "/", "http://control").searchParams;
  const name = hostRef.safeParse(search.get("host"));
  if (!name.success) throw new FlotillaError("invalid", "the upload's parameters are not valid");
  const host = await findHost(services, user, name.data);
  await authorize(services, user, { action, object: hostObject(host) });
  return { ...request, user, host, search };
}

export type EngineUpload = { path: string; detail: AuditDetail; headers?: Readonly<Record<string, string>> };

/** Sends the body to the host's engine under audit, and what the engine says of it back as it comes. */
export async function forwardUpload(services: ServiceContext, upload: Upload, target: EngineUpload): Promise<void> {
  const { req, res, user, host, action } = upload;
  await audited(services, { actor: user, action, object: hostObject(host), detail: target.detail }, async () => {
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    const response = await services.links.get(host).request({
      method: "POST",
      path: `${ENGINE_API}${target.path}`,
      namespace: user.team.namespace,
      isExempt: isExemptFromGuards(user),
      headers: { "content-type": "application/x-tar", ...target.headers },
      body: req,
      signal: gone.signal,
    });
    if (response.status >= 400) throw await toEngineError(response.status, response.body);
    res.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
    res.flushHeaders();
    await pipeline(response.body, res);
  });
}
