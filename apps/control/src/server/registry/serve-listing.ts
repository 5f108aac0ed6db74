import { MEDIA_TYPE, type Digest } from "@flotilla/image";
import {
  listCatalog,
  listReferrers,
  listTagNames,
  type Page,
  type PageInput,
  registryError,
  repositoryFor,
  toReferrersIndex,
} from "@flotilla/services";
import { answerRegistryJson, type CallerExchange } from "./exchange.ts";

const MAX_PAGE = 1_000;

/** `GET /v2/_catalog`: what the caller may see. */
export async function serveCatalog(exchange: CallerExchange): Promise<void> {
  const { services, caller } = exchange;
  const isGranted = caller.grants === "all" || caller.grants.some((grant) => grant.type === "registry" && grant.name === "catalog");
  if (!isGranted) throw registryError("UNAUTHORIZED", "authentication required");
  const input = readPage(exchange);
  const page = await listCatalog(services, caller.actor, input);
  setNext(exchange, { page, input, path: "/v2/_catalog" });
  answerRegistryJson(exchange, 200, { body: { repositories: page.names } });
}

/** `GET /v2/<name>/tags/list` */
export async function serveTags(exchange: CallerExchange, name: string): Promise<void> {
  const { services, caller } = exchange;
  const repository = await repositoryFor(services, caller, { operation: "pull", path: name });
  const input = readPage(exchange);
  const page = await listTagNames(services, repository.id, input);
  setNext(exchange, { page, input, path: `/v2/${name}/tags/list` });
  answerRegistryJson(exchange, 200, { body: { name, tags: page.names } });
}

/** `GET /v2/<name>/referrers/<digest>`: an index, also when there is none. */
export async function serveReferrers(exchange: CallerExchange, route: { name: string; digest: Digest }): Promise<void> {
  const { services, caller, query, res } = exchange;
  const repository = await repositoryFor(services, caller, { operation: "pull", path: route.name });
  const artifactType = query.get("artifactType") ?? undefined;
  const referrers = await listReferrers(services, repository.id, { subject: route.digest, artifactType });
  if (artifactType !== undefined) res.setHeader("oci-filters-applied", "artifactType");
  answerRegistryJson(exchange, 200, { body: toReferrersIndex(referrers), contentType: MEDIA_TYPE.ociIndex });
}

function readPage({ query }: CallerExchange): PageInput {
  const text = query.get("n");
  if (text !== null && !/^\d{1,9}$/.test(text)) throw registryError("SIZE_INVALID", "n must be a number of entries", { n: text });
  const last = query.get("last");
  return {
    limit: text === null ? MAX_PAGE : Math.min(Number(text), MAX_PAGE),
    last: last === null || last === "" ? undefined : last.slice(0, 255),
  };
}

/** RFC 8288: where the next page is. */
function setNext({ res }: CallerExchange, { page, input, path }: { page: Page; input: PageInput; path: string }): void {
  const last = page.names.at(-1);
  if (!page.hasMore || last === undefined) return;
  res.setHeader("link", `<${path}?${new URLSearchParams({ n: String(input.limit), last }).toString()}>; rel="next"`);
}
