import type { IncomingMessage, ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { appRouter } from "./app-router.ts";
import type { ApiContext } from "./context.ts";
import { toTrpcError } from "./errors.ts";

/** A batch may not hold more calls: each is authorised and may ask every host. */
const MAX_BATCH = 50;
const MAX_BODY_BYTES = 1024 * 1024;

/** Serves queries and mutations under `/api/trpc/`; `calls` are those of a batch. The caller has checked where the request comes from (CSRF). */
export function createTrpcHttpHandler(
  createContext: (req: IncomingMessage, res: ServerResponse, calls: number) => Promise<ApiContext>,
): (req: IncomingMessage, res: ServerResponse) => void {
  return createHTTPHandler({
    router: appRouter,
    basePath: "/api/trpc/",
    maxBodySize: MAX_BODY_BYTES,
    createContext: async ({ req, res, info }) => {
      try {
        if (info.calls.length > MAX_BATCH) throw new FlotillaError("invalid", `a batch may hold ${MAX_BATCH} calls`);
        return await createContext(req, res, Math.max(1, info.calls.length));
      } catch (error) {
        // tRPC takes the status of the answer from an error of its own alone.
        throw toTrpcError(error);
      }
    },
  });
}
