import type { Actor, ServiceContext } from "@flotilla/services";
import { BUILD_ARGS_HEADER, buildPath, parseBuildOptions } from "./build-options.ts";
import { type Exchange, forwardUpload, openUpload } from "./forward-upload.ts";

/**
 * `POST /api/upload/build?host=NAME&t=…&dockerfile=…&target=…&nocache=1&pull=1`: a context as tar, plain or compressed. The
 * answer is the engine's own: one JSON document a line. Closing the connection ends the build.
 */
export async function serveBuild(services: ServiceContext, actor: Actor, exchange: Exchange): Promise<void> {
  const upload = await openUpload(services, actor, { ...exchange, action: "image.build" });
  const header = exchange.req.headers[BUILD_ARGS_HEADER];
  const options = parseBuildOptions(upload.search, Array.isArray(header) ? header[0] : header);
  const { dockerfile, target, tags } = options;
  await forwardUpload(services, upload, {
    path: buildPath(options),
    detail: { tags: tags.join(" "), dockerfile, target: target ?? null, buildArgs: Object.keys(options.buildArgs).join(" ") },
  });
}
