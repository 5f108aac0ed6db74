/** The one-time token of a set-up link: after `#token=`, where no server and no log sees it. */
export function setupToken(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  return token === null || token === "" ? null : token;
}
