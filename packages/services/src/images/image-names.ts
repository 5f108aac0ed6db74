/** Slashes stay: Docker's routes take image names with them. */
export function encodeReference(reference: string): string {
  return reference.split("/").map(encodeURIComponent).join("/");
}

/** `team/web:1` → its repository and tag; a digest (`name@sha256:…`) counts as the tag. A colon before a slash is a registry's port. */
export function splitReference(reference: string): { repository: string; tag: string | undefined } {
  const digestAt = reference.indexOf("@");
  if (digestAt > 0) return { repository: reference.slice(0, digestAt).replace(/:[^:/]*$/, ""), tag: reference.slice(digestAt + 1) };
  const colon = reference.lastIndexOf(":");
  if (colon <= reference.lastIndexOf("/")) return { repository: reference, tag: undefined };
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
