import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { assertMayEnter } from "../api/container-routes.ts";
import { empty, type Call, type Reply, type Route } from "../api/call.ts";
import { queryBoolean } from "../api/query.ts";
import type { Containers } from "../engine/containers-port.ts";
import type { ArchiveService, ArchiveStat } from "../engine/ports.ts";

export type ArchiveRoutesDeps = { containers: Pick<Containers, "openTree" | "assertEnterable">; archive: ArchiveService };

type Tree = Awaited<ReturnType<Containers["openTree"]>>;

const PATH = "/containers/:id/archive";
const STAT_HEADER = "X-Docker-Container-Path-Stat";

/** `docker cp`: HEAD looks, GET sends a tar, PUT extracts one. */
export function archiveRoutes(deps: ArchiveRoutesDeps): Route[] {
  return [
    { method: "HEAD", path: PATH, handler: (call) => withTree(deps, call, (tree) => look(deps, call, tree)) },
    { method: "GET", path: PATH, handler: (call) => send(deps, call) },
    { method: "PUT", path: PATH, handler: (call) => withTree(deps, call, (tree) => receive(deps, call, tree)) },
  ];
}

async function look({ archive }: ArchiveRoutesDeps, call: Call, tree: Tree): Promise<Reply> {
  const stat = await archive.stat(tree.root, pathOf(call));
  return { kind: "empty", status: 200, headers: statHeader(stat) };
}

async function receive({ archive }: ArchiveRoutesDeps, call: Call, tree: Tree): Promise<Reply> {
  const path = pathOf(call);
  const options = {
    noOverwriteDirNonDir: queryBoolean(call.query, "noOverwriteDirNonDir"),
    copyUidGid: queryBoolean(call.query, "copyUIDGID"),
    isRootReadOnly: tree.isReadOnly,
  };
  try {
    await archive.write(tree.root, path, call.body, options);
  } catch (error) {
    if (isFlotillaError(error) && error.message.includes("EROFS"))
      throw new FlotillaError("forbidden", "mounted volume is marked read-only", { cause: error });
    throw error;
  }
  return empty(200);
}

/** The tree stays open until the last byte is sent. */
async function send(deps: ArchiveRoutesDeps, call: Call): Promise<Reply> {
  const path = pathOf(call);
  assertMayEnter(deps.containers, call);
  const tree = await deps.containers.openTree(call.namespace, idOf(call));
  try {
    const { stat, stream } = await deps.archive.read(tree.root, path);
    const isGzip = /\bgzip\b/.test(call.header("accept-encoding") ?? "");
    return {
      kind: "stream",
      status: 200,
      contentType: "application/x-tar",
      headers: { ...statHeader(stat), ...(isGzip ? { "Content-Encoding": "gzip" } : {}) },
      write: async (sink) => {
        try {
          await sendStream({ stream, sink, isGzip, signal: call.signal });
        } finally {
          await tree.release();
        }
      },
    };
  } catch (error) {
    await tree.release();
    throw namingContainer(call, error);
  }
}

async function sendStream(to: { stream: Readable; sink: NodeJS.WritableStream; isGzip: boolean; signal: AbortSignal }): Promise<void> {
  const { stream, sink, isGzip, signal } = to;
  // Level 1: the line is a socket on this machine or the tunnel, and the processor is the container's.
  await (isGzip ? pipeline(stream, createGzip({ level: 1 }), sink, { signal }) : pipeline(stream, sink, { signal }));
}

async function withTree(deps: ArchiveRoutesDeps, call: Call, work: (tree: Tree) => Promise<Reply>): Promise<Reply> {
  // Refused before a tree is mounted for it.
  pathOf(call);
  assertMayEnter(deps.containers, call);
  const tree = await deps.containers.openTree(call.namespace, idOf(call));
  try {
    return await work(tree);
  } catch (error) {
    throw namingContainer(call, error);
  } finally {
    await tree.release();
  }
}

/** Docker's words name the container, which the archive service does not know. */
function namingContainer(call: Call, error: unknown): unknown {
  if (!isFlotillaError(error, "not_found") || !error.message.startsWith("Could not find the file ")) return error;
  return new FlotillaError("not_found", `Could not find the file ${pathOf(call)} in container ${idOf(call)}`, { cause: error });
}

/** Base64 (the standard alphabet) of JSON. */
function statHeader(stat: ArchiveStat): Record<string, string> {
  return { [STAT_HEADER]: Buffer.from(JSON.stringify(stat), "utf8").toString("base64") };
}

function pathOf(call: Call): string {
  const path = call.query.get("path") ?? "";
  if (path === "") throw new FlotillaError("invalid", "missing path parameter in request: path cannot be empty");
  return path;
}

function idOf(call: Call): string {
  return call.params["id"] ?? "";
}
