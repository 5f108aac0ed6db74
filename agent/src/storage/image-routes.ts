import { Readable } from "node:stream";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { isApiAtLeast, parseFilters } from "@flotilla/engine-api";
import { empty, json, type Call, type Handler, type Reply, type Route } from "../api/call.ts";
import { queryBoolean } from "../api/query.ts";
import { writeTo } from "../api/write-to.ts";
import type { ImageService } from "./image-service.ts";
import { LIST_FILTERS } from "./list-images.ts";
import type { StagedLoad } from "./load-images.ts";
import { PRUNE_FILTERS } from "./prune-images.ts";

export type ImageRoutesDeps = {
  images: ImageService;
  /** `POST /images/create` with `fromImage`: the path that import and pull share. */
  pull: Handler;
  /** A file from a public address. @throws FlotillaError `forbidden` for another, `invalid` when it is not given. */
  fetch: (url: string, signal: AbortSignal) => Promise<Readable>;
};

/** Docker before API 1.44 also sent the size under a second name. */
const VIRTUAL_SIZE_UNTIL_MINOR = 43;

/** Docker's image calls, without push, commit and build. */
export function imageRoutes({ images, pull, fetch }: ImageRoutesDeps): Route[] {
  return [
    { method: "GET", path: "/images/json", handler: (call) => list(images, call) },
    { method: "GET", path: "/images/get", handler: (call) => save(images, call, call.query.getAll("names")) },
    { method: "POST", path: "/images/load", handler: (call) => load(images, call) },
    { method: "POST", path: "/images/create", handler: (call) => (isPull(call) ? pull(call) : importImage({ images, fetch }, call)) },
    {
      method: "POST",
      path: "/images/prune",
      handler: (call) => json(images.prune(call.namespace, parseFilters(call.query.get("filters"), PRUNE_FILTERS))),
    },
    { method: "GET", path: "/images/:name*/json", handler: (call) => inspect(images, call) },
    { method: "GET", path: "/images/:name*/history", handler: (call) => json(images.history(call.namespace, nameOf(call))) },
    { method: "GET", path: "/images/:name*/get", handler: (call) => save(images, call, [nameOf(call)]) },
    { method: "POST", path: "/images/:name*/tag", handler: (call) => tag(images, call) },
    { method: "DELETE", path: "/images/:name*", handler: (call) => remove(images, call) },
  ];
}

function list(images: ImageService, call: Call): Reply {
  const filters = parseFilters(call.query.get("filters"), LIST_FILTERS);
  const summaries = images.list(call.namespace, {
    filters,
    withSharedSize: queryBoolean(call.query, "shared-size"),
    withHidden: queryBoolean(call.query, "all"),
  });
  if (!hasVirtualSize(call)) return json(summaries);
  return json(summaries.map((summary) => ({ ...summary, VirtualSize: summary.Size })));
}

function inspect(images: ImageService, call: Call): Reply {
  const image = images.inspect(call.namespace, nameOf(call));
  const size = hasVirtualSize(call) ? { VirtualSize: image.Size } : {};
  const made = hasContainerConfig(call) ? { Container: "", ContainerConfig: image.Config } : {};
  return json({ ...image, ...size, ...made });
}

function tag(images: ImageService, call: Call): Reply {
  const repository = call.query.get("repo") ?? "";
  if (repository === "") throw new FlotillaError("invalid", "repository name must have at least one component");
  images.tag({ namespace: call.namespace, source: nameOf(call), repository, tag: call.query.get("tag") ?? "" });
  return empty(201);
}

function remove(images: ImageService, call: Call): Reply {
  const name = nameOf(call);
  if (name.trim() === "") throw new FlotillaError("invalid", "image name cannot be blank");
  return json(images.remove(call.namespace, name, { force: queryBoolean(call.query, "force") }));
}

function save(images: ImageService, call: Call, names: readonly string[]): Reply {
  const archive = images.save(
    call.namespace,
    names.filter((name) => name !== ""),
  );
  return {
    kind: "stream",
    status: 200,
    contentType: "application/x-tar",
    write: (sink) => pipeline(Readable.from(archive, { objectMode: false }), sink, { signal: call.signal }),
  };
}

/** The whole archive is taken in before the answer begins, so that a bad one gets a status of its own. */
async function load(images: ImageService, call: Call): Promise<Reply> {
  const staged = await images.stageLoad(call.namespace, call.body);
  const isQuiet = queryBoolean(call.query, "quiet");
  return { kind: "stream", status: 200, contentType: "application/json", write: (sink) => finishLoad(staged, { sink, isQuiet }) };
}

async function finishLoad(staged: StagedLoad, { sink, isQuiet }: { sink: Writable; isQuiet: boolean }): Promise<void> {
  try {
    await staged.finish(async (message) => {
      if (isQuiet && "status" in message) return;
      // A client that went away does not undo the load: the archive is here already.
      await writeTo(sink, jsonLine(message));
    });
  } catch (error) {
    const { message } = toFlotillaError(error);
    await writeTo(sink, jsonLine({ errorDetail: { message }, error: message }));
  }
}

function isPull(call: Call): boolean {
  return (call.query.get("fromImage") ?? "") !== "";
}

/**
 * `docker import`: the body, or a file that this host fetches. Of the body nothing is answered before it is an image, so that
 * a bad one gets a status of its own; of a fetched file, once it begins to come.
 */
async function importImage({ images, fetch }: Pick<ImageRoutesDeps, "images" | "fetch">, call: Call): Promise<Reply> {
  const source = call.query.get("fromSrc") ?? "";
  const architecture = architectureOf(call);
  const load = (tar: Readable): ReturnType<ImageService["import"]> =>
    images.import({
      namespace: call.namespace,
      tar,
      repository: call.query.get("repo") ?? "",
      tag: call.query.get("tag") ?? "",
      message: call.query.get("message") ?? "",
      changes: call.query.getAll("changes"),
      architecture,
      signal: call.signal,
    });
  if (source === "-") {
    const image = await load(call.body);
    return progress(async (tell) => tell({ status: image.id }));
  }
  // As Docker reads it: without a scheme it is a host and a path.
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : `http://${source}`;
  const tar = await fetch(url, call.signal);
  return progress(async (tell) => {
    await tell({ status: `Downloading from ${url}` });
    await tell({ status: (await load(tar)).id });
  });
}

type Tell = (message: unknown) => Promise<unknown>;

/** An answer of messages; what goes wrong meanwhile is the last of them. */
function progress(work: (tell: Tell) => Promise<unknown>): Reply {
  return {
    kind: "stream",
    status: 200,
    contentType: "application/json",
    async write(sink) {
      const tell: Tell = (message) => writeTo(sink, jsonLine(message));
      try {
        await work(tell);
      } catch (error) {
        const { message } = toFlotillaError(error);
        await tell({ errorDetail: { message }, error: message });
      }
    },
  };
}

/** `platform=linux/arm64`. */
function architectureOf(call: Call): string | undefined {
  const platform = call.query.get("platform") ?? "";
  if (platform === "") return undefined;
  const [, architecture] = /^linux(?:\/([a-z0-9]+)(?:\/v\d+)?)?$/.exec(platform) ?? [];
  if (!platform.startsWith("linux")) throw new FlotillaError("invalid", `operating system is not supported: ${platform}`);
  return architecture;
}

/**
 * Gone since API 1.45. docker-compose 1.29, which Debian still ships, speaks the newest API that an engine offers and yet looks into it for
 * the image's volumes whenever it replaces a container: without it, it ends with a KeyError.
 */
function hasContainerConfig(call: Call): boolean {
  return !isApiAtLeast(call.version, 45) || call.header("user-agent")?.startsWith("docker-compose/1.") === true;
}

function hasVirtualSize(call: Call): boolean {
  const [major, minor] = call.version;
  return major === 1 && minor <= VIRTUAL_SIZE_UNTIL_MINOR;
}

function nameOf(call: Call): string {
  return call.params["name"] ?? "";
}

/** Docker ends each message of a progress stream with CR LF. */
function jsonLine(message: unknown): string {
  return `${JSON.stringify(message)}\r\n`;
}
