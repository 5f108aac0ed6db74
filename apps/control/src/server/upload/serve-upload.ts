import { FlotillaError } from "@flotilla/core";
import { type Actor, imageRef, type ServiceContext } from "@flotilla/services";
import { z } from "zod";
import { type Exchange, forwardUpload, openUpload } from "./forward-upload.ts";

const query = z.object({
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
export async function serveUpload(services: ServiceContext, actor: Actor, exchange: Exchange): Promise<void> {
  const upload = await openUpload(services, actor, { ...exchange, action: "image.change" });
  const parsed = query.safeParse(Object.fromEntries([...upload.search].filter(([name]) => name !== "change" && name !== "host")));
  const change = changes.safeParse(upload.search.getAll("change"));
  if (!parsed.success || !change.success) throw new FlotillaError("invalid", "the upload's parameters are not valid");
  const { repo, tag, message } = parsed.data;
  await forwardUpload(services, upload, {
    path: target({ repo, tag, message, change: change.data }),
    detail: { upload: true, repo: repo ?? null, tag: tag ?? null },
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
