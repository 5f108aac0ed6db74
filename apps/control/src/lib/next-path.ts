/** Where to go after sign-in: a path of this site, never another site (`//evil`, `/\evil`, `https:`). */
export function safeNextPath(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next)) return "/";
  return next.startsWith("/sign-in") ? "/" : next;
}
