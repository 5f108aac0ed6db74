import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { readBody } from "./body.ts";
import { nextQuery } from "./next-query.ts";
import type { Repository } from "./repository.ts";

const catalogSchema = z.object({ repositories: z.array(z.string()).nullish() });
const PAGE_SIZE = 1000;
const MAX_PAGE_BYTES = 4 * 2 ** 20;

/**
 * Names of the repositories of a registry (`GET /v2/_catalog`), page by page, until there are no more or the caller leaves.
 * Registries may refuse it: Docker Hub does.
 * @param registry any repository opened there: only its connection is used.
 */
export async function* listRepositories(registry: Repository, signal: AbortSignal): AsyncGenerator<string, void> {
  const seen = new Set<string>();
  for (let query: string | undefined = `?n=${PAGE_SIZE}`; query !== undefined && !seen.has(query);) {
    // A registry that leads in a circle is left.
    seen.add(query);
    const page: Page = await readPage(registry, query, signal);
    yield* page.names;
    query = page.next;
  }
}

type Page = { names: string[]; next: string | undefined };

async function readPage(registry: Repository, query: string, signal: AbortSignal): Promise<Page> {
  const response = await registry.attempt((session) => {
    const path = new URL(`v2/_catalog${query}`, session.endpoint.base);
    return session.send({ method: "GET", path, accept: [200], scopes: ["registry:catalog:*"], signal });
  });
  const body = await readBody(response, { maxBytes: MAX_PAGE_BYTES, stallTimeoutMs: registry.session.limits.stallTimeoutMs });
  const page = catalogSchema.safeParse(parseJson(body.toString("utf8")));
  if (!page.success) throw new FlotillaError("unavailable", `${response.url.host}: the list of repositories is malformed`);
  return { names: page.data.repositories ?? [], next: nextQuery(response.headers.link, response.url) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
