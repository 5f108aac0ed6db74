import type { IncomingMessage, ServerResponse } from "node:http";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { appRouter } from "./app-router.ts";
import type { ApiContext } from "./context.ts";

/** A batch may not hold more calls: each is authorised and may ask every host. */
const MAX_BATCH = 50;
const MAX_BODY_BYTES = 1024 * 1024;

/** Serves queries and mutations under `/api/trpc/`. The caller has checked where the request comes from (CSRF). */
export function createTrpcHttpHandler(
  createContext: (req: IncomingMessage) => Promise<ApiContext>,
): (req: IncomingMessage, res: ServerResponse) => void {
  return createHTTPHandler({
    router: appRouter,
    basePath: "/api/trpc/",
    maxBodySize: MAX_BODY_BYTES,
    createContext: ({ req, info }) => {
      if (info.calls.length > MAX_BATCH) throw new Error(`a batch may hold ${MAX_BATCH} calls`);
      return createContext(req);
    },
  });
}
