// Docker's classic build protocol: a tar in, JSON lines out. Everything that can be said before the first step gets a
// status of its own; from then on errors are the last line.
import type { Readable, Writable } from "node:stream";
import { FlotillaError, toFlotillaError, wrapError } from "@flotilla/core";
import { parseFilters } from "@flotilla/engine-api";
import { empty, json, type Call, type Reply, type Route } from "../api/call.ts";
import { queryBoolean, queryInteger } from "../api/query.ts";
import { parseTimeFilter } from "../storage/time-filter.ts";
import type { BuildContext } from "./build-context.ts";
import type { Builder } from "./builder.ts";
import { classicSink, writeFailure } from "./classic-output.ts";
import { openUrl } from "./fetch-url.ts";
import { parseBuildQuery } from "./parse-build-query.ts";
import type { PlannedBuild } from "./run-build.ts";

const PRUNE_FILTERS = ["until", "unused-for", "id", "type", "inuse", "shared", "private", "description", "parent"] as const;
const GIT_CONTEXT = /^(?:git:\/\/|git@|ssh:\/\/|github\.com\/)|\.git(?:#.*)?$/;
const MAX_DOCKERFILE_BYTES = 8 * 1024 * 1024;

/** `POST /build`, `/build/cancel` and `/build/prune`. */
export function buildRoutes({ builder }: { builder: Builder }): Route[] {
  return [
    { method: "POST", path: "/build", handler: (call) => build(builder, call) },
    {
      method: "POST",
      path: "/build/cancel",
      handler: (call) => {
        const id = call.query.get("id") ?? "";
        if (id === "") throw new FlotillaError("invalid", "build ID not provided");
        builder.cancel(call.namespace, id);
        return empty(200);
      },
    },
    { method: "POST", path: "/build/prune", handler: (call) => json(prune(builder, call)) },
  ];
}

async function build(builder: Builder, call: Call): Promise<Reply> {
  const request = parseBuildQuery(call);
  const context = await receive(builder, call);
  let plan: PlannedBuild;
  try {
    plan = builder.plan(request, context);
  } catch (error) {
    context.close();
    throw error;
  }
  const isQuiet = queryBoolean(call.query, "q");
  return { kind: "stream", status: 200, contentType: "application/json", write: (sink) => finish(builder, plan, { call, sink, isQuiet }) };
}

async function finish(builder: Builder, plan: PlannedBuild, to: { call: Call; sink: Writable; isQuiet: boolean }): Promise<void> {
  const { call, sink, isQuiet } = to;
  try {
    const id = call.query.get("buildid") ?? "";
    await builder.run(plan, { sink: classicSink(sink, { isQuiet }), signal: call.signal, id: id === "" ? undefined : id });
  } catch (error) {
    await writeFailure(
      sink,
      isAbort(error) ? new FlotillaError("unavailable", "Build canceled", { cause: error }) : toFlotillaError(error),
    );
  } finally {
    plan.context.close();
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

async function receive(builder: Builder, call: Call): Promise<BuildContext> {
  const remote = call.query.get("remote") ?? "";
  if (remote !== "") return await receiveRemote(builder, call, remote);
  try {
    return await builder.receive(call.body as AsyncIterable<Buffer>, call.signal);
  } catch (error) {
    // The rest of the upload is of no use to anybody.
    call.body.resume();
    throw wrapError("error processing tar file", error);
  }
}

/** `remote=`: a tar, or a Dockerfile alone, told apart as Docker does by what the server says that it is. */
async function receiveRemote(builder: Builder, call: Call, remote: string): Promise<BuildContext> {
  call.body.resume();
  if (GIT_CONTEXT.test(remote)) {
    throw new FlotillaError("not_implemented", "git repositories are not supported as a build context: clone it and send the directory");
  }
  const { body } = await openUrl({ deps: builder.deps, signal: call.signal }, remote);
  const type = (body.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  if (/^text\/plain$/.test(type)) return await builder.receiveText(await readText(body), call.signal);
  return await builder.receive(body as AsyncIterable<Buffer>, call.signal);
}

async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_DOCKERFILE_BYTES)
      throw new FlotillaError("too_large", `the remote Dockerfile is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function prune(builder: Builder, call: Call): { CachesDeleted: string[]; SpaceReclaimed: number } {
  const filters = parseFilters(call.query.get("filters"), PRUNE_FILTERS);
  const [until] = [...(filters.get("until") ?? []), ...(filters.get("unused-for") ?? [])];
  return builder.prune({
    namespace: call.namespace,
    isAll: queryBoolean(call.query, "all"),
    keepBytes: queryInteger(call.query, "keep-storage") ?? queryInteger(call.query, "reserved-space") ?? 0,
    until: until === undefined ? undefined : parseTimeFilter(until, builder.deps.nowMs()),
  });
}
