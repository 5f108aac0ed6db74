/** Page of a repository, whose name holds slashes. */
export function repositoryHref(path: string): string {
  return `/registry/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** `sha256:` and the first twelve digits left out: what tells digests apart for people. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** The last words of a media type: `image.manifest.v1+json`. */
export function shortType(mediaType: string): string {
  return mediaType.replace(/^application\/vnd\.(oci\.|docker\.distribution\.|docker\.)?/, "");
}
