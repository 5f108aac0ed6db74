import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { parseFilters } from "@flotilla/engine-api";
import { familiarRepository, isDigest, parseReference, type Reference } from "@flotilla/image";
import { credentialsSchema, parseRegistryAuth } from "@flotilla/registry";
import { json, type Call, type Reply, type Route } from "../api/call.ts";
import { queryInteger } from "../api/query.ts";
import { parsePlatform, type DistributionRequest } from "./context.ts";
import type { Distribution } from "./create-distribution.ts";
import { streamProgress } from "./progress-stream.ts";
import { SEARCH_FILTERS } from "./search-registries.ts";

export type DistributionRoutesDeps = { distribution: Distribution; nowMs: () => number };

/** Docker's calls that lead to a registry, but `POST /images/create`, which shares its path with import. */
export function distributionRoutes(deps: DistributionRoutesDeps): Route[] {
  const { distribution } = deps;
  return [
    { method: "POST", path: "/images/:name*/push", handler: (call) => push(deps, call) },
    { method: "GET", path: "/images/search", handler: async (call) => json(await search(distribution, call)) },
    { method: "POST", path: "/auth", handler: (call) => login(distribution, call) },
    {
      method: "GET",
      path: "/distribution/:name*/json",
      handler: async (call) => {
        const reference = parseReference(call.params["name"] ?? "");
        return json(await distribution.inspect({ ...requestOf(call), reference }));
      },
    },
  ];
}

/** `docker pull`: an error before the first byte has a status of its own. */
export async function pull({ distribution, nowMs }: DistributionRoutesDeps, call: Call): Promise<Reply> {
  const reference = withTag(parseReference(call.query.get("fromImage") ?? ""), call.query.get("tag") ?? "");
  const { platform, isAsked } = parsePlatform(call.query.get("platform") ?? "");
  const request = { ...requestOf(call), reference, platform, isPlatformAsked: isAsked };
  const staged = await distribution.stagePull(request).catch((error: unknown) => refuseLogin(reference, error));
  return {
    kind: "stream",
    status: 200,
    contentType: "application/json",
    write: (sink) => streamProgress(sink, (emit) => staged.run(emit), nowMs),
  };
}

/** dockerd answers 404 also for a login that the registry refuses; at a 401 the docker command would ask for another and wait. */
function refuseLogin(reference: Reference, error: unknown): never {
  if (!isFlotillaError(error, "unauthenticated")) throw error;
  const words = `pull access denied for ${familiarRepository(reference)}, repository does not exist or may require 'docker login'`;
  throw new FlotillaError("not_found", `${words}: ${error.message}`, { cause: error });
}

function push({ distribution, nowMs }: DistributionRoutesDeps, call: Call): Reply {
  const reference = withTag(parseReference(call.params["name"] ?? ""), call.query.get("tag") ?? "");
  const staged = distribution.stagePush({ ...requestOf(call), reference });
  return {
    kind: "stream",
    status: 200,
    contentType: "application/json",
    write: (sink) => streamProgress(sink, (emit) => staged.run(emit), nowMs),
  };
}

async function search(distribution: Distribution, call: Call): Promise<unknown> {
  const term = call.query.get("term") ?? "";
  if (term === "") throw new FlotillaError("invalid", "search term is required");
  const filters = parseFilters(call.query.get("filters"), SEARCH_FILTERS);
  return distribution.search({ ...requestOf(call), term, limit: queryInteger(call.query, "limit") ?? 0, filters });
}

async function login(distribution: Distribution, call: Call): Promise<Reply> {
  await distribution.checkLogin(await call.json(credentialsSchema), call.signal);
  return json({ Status: "Login Succeeded", IdentityToken: "" });
}

/** Credentials that are malformed are none, as in Docker. */
function requestOf(call: Call): DistributionRequest {
  return { namespace: call.namespace, credentials: parseRegistryAuth(call.header("x-registry-auth")), signal: call.signal };
}

/** The tag may come beside the name, and may be a digest. */
function withTag(reference: Reference, tag: string): Reference {
  if (tag === "") return reference;
  if (isDigest(tag)) return { ...reference, tag: undefined, digest: tag };
  // Through the parser, which knows what a tag may look like.
  return { ...reference, tag: parseReference(`x:${tag}`).tag };
}
