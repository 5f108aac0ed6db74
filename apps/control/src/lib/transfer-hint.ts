const HINTS = [
  ["login", /unauthorized|authentication required|access denied|denied:|no basic auth|incorrect username|\b401\b|\b403\b/i],
  ["name", /manifest unknown|not found|repository does not exist|name unknown|invalid reference|no such image/i],
  ["plainHttp", /HTTP response to HTTPS client|x509|certificate|tls:|self[- ]signed/i],
  ["network", /no such host|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|connection refused|timed? ?out|ETIMEDOUT|unreachable|ECONNRESET|lost/i],
  ["space", /no space left|ENOSPC|disk quota/i],
] as const;

export type TransferHint = (typeof HINTS)[number][0];

/** What to try next after a failed pull, push or build, by the words of its error; null when they say enough, or nothing. */
export function transferHint(message: string): TransferHint | null {
  return HINTS.find(([, words]) => words.test(message))?.[0] ?? null;
}
