import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { readBody } from "./body.ts";
import { nextQuery } from "./next-query.ts";
import { pullError } from "./registry-error.ts";
import type { Repository } from "./repository.ts";

const tagsSchema = z.object({ tags: z.array(z.string()).nullish() });
const MAX_PAGE_BYTES = 4 * 2 ** 20;

/** All tags of a repository, page by page. @throws FlotillaError `too_large` beyond `maxTags`, `not_found`. */
export async function listTags(
  repository: Repository,
  options: { pageSize: number; maxTags: number; signal: AbortSignal },
): Promise<string[]> {
  const tags: string[] = [];
  let path: string | undefined = `tags/list?n=${options.pageSize}`;
  const seen = new Set<string>();
  while (path !== undefined) {
    // A registry that leads in a circle is left.
    if (seen.has(path)) break;
    seen.add(path);
    const page = await readPage(repository, path, options.signal);
    tags.push(...page.tags);
    if (tags.length > options.maxTags) throw new FlotillaError("too_large", `${repository.name} has more than ${options.maxTags} tags`);
    path = page.next;
  }
  return tags;
}

async function readPage(repository: Repository, path: string, signal: AbortSignal): Promise<{ tags: string[]; next: string | undefined }> {
  try {
    const response = await repository.send({ method: "GET", path, accept: [200], signal });
    const body = await readBody(response, { maxBytes: MAX_PAGE_BYTES, stallTimeoutMs: repository.session.limits.stallTimeoutMs });
    const page = tagsSchema.parse(JSON.parse(body.toString("utf8")));
    return { tags: page.tags ?? [], next: nextOf(response.headers.link, response.url) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) {
      throw new FlotillaError("unavailable", `${repository.name}: the list of tags is malformed`, { cause: error });
    }
    throw pullError(error, { name: repository.name, full: repository.name, isAnonymous: repository.session.isAnonymous });
  }
}

function nextOf(link: string | string[] | undefined, base: URL): string | undefined {
  const search = nextQuery(link, base);
  return search === undefined ? undefined : `tags/list${search}`;
}
