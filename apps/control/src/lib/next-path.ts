const HERE = "http://flotilla.invalid";

/**
 * Where to go after sign-in: a path of this site, never another site. Read as a browser reads it, which drops tabs and line
 * feeds and takes a backslash for a slash: `/\t/evil.test` is another site.
 */
export function safeNextPath(next: string | null): string {
  if (next === null || !next.startsWith("/") || !URL.canParse(next, HERE)) return "/";
  const url = new URL(next, HERE);
  if (url.origin !== HERE || url.pathname.startsWith("//") || /^\/sign-in(\/|$)/.test(url.pathname)) return "/";
  return `${url.pathname}${url.search}${url.hash}`;
}
