/** `Link: </v2/name/tags/list?last=x&n=10>; rel="next"` (RFC 8288): only its query counts, where to ask stays ours. */
export function nextQuery(link: string | string[] | undefined, base: URL): string | undefined {
  const [, target] = /<([^>]{1,4096})>\s*;[^,]*rel="?next"?/.exec(String(link ?? "")) ?? [];
  if (target === undefined || !URL.canParse(target, base.href)) return undefined;
  const { search } = new URL(target, base);
  return search === "" ? undefined : search;
}
