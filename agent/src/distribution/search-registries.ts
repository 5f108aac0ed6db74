import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { booleanFilter, type Filters } from "@flotilla/engine-api";
import { familiarRepository } from "@flotilla/image";
import { listRepositories } from "@flotilla/registry";
import { openRegistries, type DistributionContext, type DistributionRequest, type RegistryCall } from "./context.ts";

/** As Docker shapes it; a registry's catalogue knows names only. */
export type SearchResult = { name: string; description: string; star_count: number; is_official: boolean; is_automated: boolean };

export type SearchRequest = DistributionRequest & { term: string; limit: number; filters: Filters };

export const SEARCH_FILTERS = ["is-automated", "is-official", "stars"] as const;

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;
/** Names that are looked at in one registry before it is left. */
const MAX_NAMES = 100_000;

/**
 * `docker search`: repositories whose name holds the term. `registry.example:5000/term` searches that registry, a bare term all
 * that the host's settings name.
 * @throws FlotillaError `not_implemented` when the host knows none, the registry's error when only one was asked.
 */
export async function searchRegistries(context: DistributionContext, request: SearchRequest): Promise<SearchResult[]> {
  const call = await openRegistries(context);
  using _client = call.client;
  const { domains, word } = whereToSearch(request.term, call.registries.domains);
  if (domains.length === 0)
    throw new FlotillaError(
      "not_implemented",
      "no registry to search: name one (docker search registry.example:5000/term) or add it to registries.json",
    );
  const { limit } = request;
  if (limit < 0 || limit > MAX_LIMIT) throw new FlotillaError("invalid", `limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
  if (wantsMoreThanNames(request.filters)) return [];
  const found: SearchResult[] = [];
  const failures: unknown[] = [];
  for (const domain of domains) {
    try {
      found.push(...(await searchOne(call, { request, domain, word, limit: (limit || DEFAULT_LIMIT) - found.length })));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === domains.length) throw toFlotillaError(failures[0]);
  return found;
}

function whereToSearch(term: string, known: readonly string[]): { domains: readonly string[]; word: string } {
  const slash = term.indexOf("/");
  const first = slash === -1 ? "" : term.slice(0, slash);
  if (/[.:]/.test(first) || first === "localhost") return { domains: [first], word: term.slice(slash + 1).toLowerCase() };
  return { domains: known, word: term.toLowerCase() };
}

/** A catalogue has no stars and nothing official in it. */
function wantsMoreThanNames(filters: Filters): boolean {
  const isWanted = (name: string): boolean => filters.has(name) && booleanFilter(filters, name, false);
  return isWanted("is-official") || isWanted("is-automated") || (filters.get("stars") ?? []).some((stars) => Number(stars) > 0);
}

async function searchOne(
  { client }: RegistryCall,
  from: { request: SearchRequest; domain: string; word: string; limit: number },
): Promise<SearchResult[]> {
  const { request, domain, word, limit } = from;
  const { credentials, signal } = request;
  using registry = await client.open({ reference: { domain, path: "" }, action: "pull", credentials, signal });
  const found: SearchResult[] = [];
  let seen = 0;
  for await (const path of listRepositories(registry, signal)) {
    if (found.length >= limit || ++seen > MAX_NAMES) break;
    if (!path.toLowerCase().includes(word)) continue;
    const name = familiarRepository({ domain, path });
    found.push({ name, description: "", star_count: 0, is_official: false, is_automated: false });
  }
  return found;
}
