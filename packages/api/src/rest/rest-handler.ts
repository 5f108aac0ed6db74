import type { IncomingMessage, ServerResponse } from "node:http";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { ruleOf, runOnce } from "@flotilla/services";
import { callTRPCProcedure, TRPCError } from "@trpc/server";
import { appRouter } from "../app-router.ts";
import type { ApiContext } from "../context.ts";
import { listProcedures } from "../list-procedures.ts";
import { matchRoute } from "./match.ts";
import { openApiDocument } from "./openapi.ts";
import { linkToNext, type Page, paginate, readPaging } from "./paginate.ts";
import { makeProblem, type Problem, toProblem } from "./problem.ts";
import { readIdempotencyKey, readJson, type RestAnswer, sendAnswer, sendProblem } from "./exchange.ts";
import { readInput } from "./read-input.ts";
import { renderPage } from "./render-page.ts";
import { findProcedure, REST_ROUTES } from "./routes.ts";
import type { RestRoute } from "./route.ts";

export const REST_PREFIX = "/api/v1";

const OPEN = new Set(
  listProcedures()
    .filter(({ action }) => action !== undefined && ruleOf(action).needs === "everyone")
    .map(({ path }) => path),
);

/** Serves `/api/v1`: every procedure by method and path, and the OpenAPI document. The caller has checked the origin (CSRF). */
export function createRestHandler(
  createContext: (req: IncomingMessage, res: ServerResponse) => Promise<ApiContext>,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return async (req, res) => {
    const url = new URL(req.url ?? "/", "http://control");
    try {
      if (url.pathname === `${REST_PREFIX}/openapi.json`) return serveDocument(req, res);
      const context = await createContext(req, res);
      await serve({ context, req, res, url });
    } catch (error) {
      sendProblem(res, toProblem(error));
    }
  };
}

type Exchange = { context: ApiContext; req: IncomingMessage; res: ServerResponse; url: URL };

async function serve({ context, req, res, url }: Exchange): Promise<void> {
  const method = req.method ?? "GET";
  const found = matchRoute(REST_ROUTES, { method, path: url.pathname.slice(REST_PREFIX.length) });
  // Who is not signed in learns nothing of the paths, and no body of theirs is read.
  if (context.actor.kind === "anonymous" && !(found.kind === "found" && OPEN.has(found.procedure))) {
    res.setHeader("www-authenticate", 'Bearer realm="flotilla"');
    throw new FlotillaError("unauthenticated", "send an API token: Authorization: Bearer flt_…");
  }
  if (found.kind === "none") return sendProblem(res, makeProblem(404, "not_found", "there is no such path"));
  if (found.kind === "otherMethod") {
    res.setHeader("allow", found.allowed.join(", "));
    return sendProblem(res, makeProblem(405, "method_not_allowed", `this path takes ${found.allowed.join(", ")}`));
  }
  const { route, procedure, parameters } = found;
  const { text, value: body } = await readJson(req);
  const call = { procedure, route, parameters, search: url.searchParams, body, pathname: url.pathname };
  const work = (): Promise<RestAnswer> => answerOf(context, call, res);
  const key = readIdempotencyKey(req);
  if (key === undefined || method === "GET") return sendAnswer(res, await work());
  const request = { key, method, address: `${url.pathname}${url.search}`, body: text };
  const once = await runOnce(context.services, context.actor, { request, work: () => work().catch(toAnswer) });
  if (once.kind === "other")
    return sendProblem(res, makeProblem(422, "idempotency_key_reused", "this Idempotency-Key was used for another call"));
  if (once.kind === "running")
    return sendProblem(
      res,
      makeProblem(409, "idempotency_key_running", "the first call with this Idempotency-Key has not ended: look at what it made"),
    );
  const { answer, isReplayed } = once;
  if (isReplayed) res.setHeader("idempotency-replayed", "true");
  if (answer.status >= 400) return sendProblem(res, answer.body as Problem);
  return sendAnswer(res, answer);
}

function toAnswer(error: unknown): RestAnswer {
  const problem = toProblem(error);
  return { status: problem.status, body: problem };
}

type Call = {
  procedure: string;
  route: RestRoute;
  parameters: Record<string, string>;
  search: URLSearchParams;
  body: unknown;
  pathname: string;
};

async function answerOf(context: ApiContext, call: Call, res: ServerResponse): Promise<RestAnswer> {
  const { procedure: path, route, search } = call;
  const procedure = findProcedure(path);
  if (procedure === undefined) throw new FlotillaError("internal", `no procedure ${path}`);
  const paging = typeof route.list === "function" ? readPaging(search) : undefined;
  const input = readInput(route, procedure.input, call);
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const output: unknown = await callTRPCProcedure({
    router: appRouter,
    path,
    type: procedure.type,
    ctx: context,
    getRawInput: () => Promise.resolve(input),
    signal: gone.signal,
    batchIndex: 0,
  });
  if (typeof route.list === "function" && paging !== undefined) {
    const page = paginate(output, route.list, paging);
    return {
      status: 200,
      text: checked(context, path, () => renderPage(route.output, page)),
      link: linkToNext(call.pathname, search, page.nextCursor),
    };
  }
  const body = checked(context, path, () => route.output.parse(output));
  const isEmpty = typeof body === "object" && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;
  if (isEmpty && route.method !== "GET")
    return { status: route.isCreation === true ? 201 : 204, body: route.isCreation === true ? {} : undefined };
  const status = route.isCreation === true ? 201 : 200;
  return { status, body, link: route.list === "own" ? linkToNext(call.pathname, search, (body as Page).nextCursor) : undefined };
}

/** What the document promises, and nothing else. */
function checked<T>(context: ApiContext, path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    context.services.logger.error("an answer is not what the API's document says", { path, issues: toFlotillaError(error).message });
    throw new TRPCError({ code: "INTERNAL_SERVER_ERROR" });
  }
}

function serveDocument(req: IncomingMessage, res: ServerResponse): void {
  if (req.method !== "GET") {
    res.setHeader("allow", "GET");
    return sendProblem(res, makeProblem(405, "method_not_allowed", "this path takes GET"));
  }
  sendAnswer(res, { status: 200, body: openApiDocument() });
}
