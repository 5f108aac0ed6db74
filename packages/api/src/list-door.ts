import type { IncomingMessage, ServerResponse } from "node:http";
import { callTRPCProcedure } from "@trpc/server";
import { appRouter } from "./app-router.ts";
import type { ApiContext } from "./context.ts";
import { listProcedures } from "./list-procedures.ts";

/** Lists that services answer with the same array to all who ask at once: to write one down for each of them takes most of their time. */
const LONG_LISTS: ReadonlySet<string> = new Set(["containers.list"]);
const QUERIES: ReadonlySet<string> = new Set(
  listProcedures()
    .filter(({ kind }) => kind === "query")
    .map(({ path }) => path),
);

export type ListCall = { paths: readonly string[]; inputs: readonly unknown[]; isBatch: boolean };

/**
 * A call of tRPC's over HTTP that asks for a long list, alone or in a batch of queries; undefined for all others and for what cannot be
 * read, which are the library's to answer.
 */
export function readListCall(req: Pick<IncomingMessage, "method" | "url" | "headers">, basePath: string): ListCall | undefined {
  if (req.method !== "GET" || req.headers["trpc-accept"] !== undefined || req.headers.accept?.includes("jsonl") === true) return undefined;
  const { pathname, searchParams } = new URL(req.url ?? "/", "http://control");
  if (!pathname.startsWith(basePath)) return undefined;
  const isBatch = searchParams.get("batch") === "1";
  const name = pathname.slice(basePath.length);
  const paths = isBatch ? name.split(",") : [name];
  if (!paths.some((path) => LONG_LISTS.has(path)) || !paths.every((path) => QUERIES.has(path))) return undefined;
  const input = parse(searchParams.get("input") ?? (isBatch ? "{}" : undefined));
  if (input === BROKEN) return undefined;
  return { paths, inputs: isBatch ? paths.map((_, index) => (input as Record<number, unknown>)[index]) : [input], isBatch };
}

/** The answer as the library would write it. @throws whatever a procedure throws */
export async function answerListCall(context: ApiContext, call: ListCall, signal: AbortSignal): Promise<string> {
  const texts = await Promise.all(
    call.paths.map(async (path, batchIndex) => {
      const getRawInput = (): Promise<unknown> => Promise.resolve(call.inputs[batchIndex]);
      const data: unknown = await callTRPCProcedure({
        router: appRouter,
        path,
        type: "query",
        ctx: context,
        getRawInput,
        signal,
        batchIndex,
      });
      return `{"result":{"data":${jsonOf(data)}}}`;
    }),
  );
  return call.isBatch ? `[${texts.join(",")}]` : (texts[0] ?? "");
}

export function sendListAnswer(res: ServerResponse, text: string): void {
  const length = Buffer.byteLength(text);
  res.writeHead(200, { "content-type": "application/json", vary: "trpc-accept, accept", "content-length": length }).end(text);
}

const WRITTEN = new WeakMap<object, string>();

/** JSON of an answer, whose arrays are written down once, however many callers get them. */
function jsonOf(data: unknown): string {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return JSON.stringify(data);
  const fields = Object.entries(data).flatMap(([name, value]) => (value === undefined ? [] : [`${JSON.stringify(name)}:${textOf(value)}`]));
  return `{${fields.join(",")}}`;
}

function textOf(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  const found = WRITTEN.get(value);
  if (found !== undefined) return found;
  const text = JSON.stringify(value);
  WRITTEN.set(value, text);
  return text;
}

const BROKEN = Symbol("broken");

/** What is no JSON, or no object for a batch, is left to the library. */
function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : BROKEN;
  } catch {
    return BROKEN;
  }
}
