import type { IncomingMessage, ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { appRouter } from "./app-router.ts";
import type { ApiContext } from "./context.ts";
import { toTrpcError } from "./errors.ts";
import { answerListCall, readListCall, sendListAnswer } from "./list-door.ts";

/** A batch may not hold more calls: each is authorised and may ask every host. */
const MAX_BATCH = 50;
const BASE_PATH = "/api/trpc/";
const MAX_BODY_BYTES = 1024 * 1024;

/** Serves queries and mutations under `/api/trpc/`; `calls` are those of a batch. The caller has checked where the request comes from (CSRF). */
export function createTrpcHttpHandler(
  createContext: (req: IncomingMessage, res: ServerResponse, calls: number) => Promise<ApiContext>,
): (req: IncomingMessage, res: ServerResponse) => void {
  /** Whoever was admitted, or refused, was so once. */
  const made = new WeakMap<IncomingMessage, Promise<ApiContext>>();
  const standard = createHTTPHandler({
    router: appRouter,
    basePath: BASE_PATH,
    maxBodySize: MAX_BODY_BYTES,
    createContext: async ({ req, res, info }) => {
      try {
        if (info.calls.length > MAX_BATCH) throw new FlotillaError("invalid", `a batch may hold ${MAX_BATCH} calls`);
        return await (made.get(req) ?? createContext(req, res, Math.max(1, info.calls.length)));
      } catch (error) {
        // tRPC takes the status of the answer from an error of its own alone.
        throw toTrpcError(error);
      }
    },
  });
  return (req, res) => {
    const list = readListCall(req, BASE_PATH);
    if (list === undefined || list.paths.length > MAX_BATCH) return standard(req, res);
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    const answer = async (): Promise<string> => {
      const context = createContext(req, res, list.paths.length);
      made.set(req, context);
      return answerListCall(await context, list, gone.signal);
    };
    // What fails is answered by the library, in its form: it asks once more.
    answer().then(
      (text) => sendListAnswer(res, text),
      () => standard(req, res),
    );
  };
}
