export function stackHref(stack: { name: string }): string {
  return `/stacks/${encodeURIComponent(stack.name)}`;
}

/** The editor: of a new stack, or of one that is there. */
export function deployHref(stack?: string): string {
  return stack === undefined ? "/deploy" : `/deploy?${new URLSearchParams({ stack }).toString()}`;
}
