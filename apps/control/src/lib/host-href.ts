export function hostHref(host: { name: string }): string {
  return `/hosts/${encodeURIComponent(host.name)}`;
}
