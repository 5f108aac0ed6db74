import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import { type Actor, auditFilter, exportAudit, type ServiceContext } from "@flotilla/services";

/** `GET /api/v1/audit/export`: the audit as JSON lines, filtered as `activity.list` is, streamed as it is read. */
export async function serveAudit(
  services: ServiceContext,
  actor: Actor,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
): Promise<void> {
  if (req.method !== "GET") throw new FlotillaError("invalid", "the audit is exported with GET");
  const search = new URL(req.url ?? "/", "http://control").searchParams;
  const parsed = auditFilter.strict().safeParse(Object.fromEntries(search));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FlotillaError("invalid", `${issue?.path.join(".") ?? "query"}: ${issue?.message ?? "invalid"}`);
  }
  const lines = exportAudit(services, actor, parsed.data);
  // The first page is read before the answer begins, so that a refusal still is one.
  const first = await lines.next();
  res.writeHead(200, {
    "content-type": "application/jsonl; charset=utf-8",
    "content-disposition": 'attachment; filename="audit.jsonl"',
    "cache-control": "no-store",
  });
  if (first.done === true) return void res.end();
  res.write(first.value);
  await pipeline(Readable.from(lines, { objectMode: false }), res);
}
