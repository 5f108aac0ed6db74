import { type Digest, isDigest } from "@flotilla/image";
import { isRepositoryPath, isTagName, registryError, type RegistryOperation } from "@flotilla/services";

export type ManifestReference = { tag: string } | { digest: Digest };

/** A route of the distribution specification 1.1; ids are its endpoint numbers where it has them. */
export type RegistryRoute =
  | { kind: "base" }
  | { kind: "token" }
  | { kind: "catalog" }
  | { kind: "tags"; name: string }
  | { kind: "manifest"; name: string; reference: ManifestReference }
  | { kind: "referrers"; name: string; digest: Digest }
  | { kind: "blob"; name: string; digest: Digest }
  | { kind: "uploads"; name: string }
  | { kind: "upload"; name: string; id: string };

/**
 * Reads the path below `/v2`. It is decoded once and must then follow the grammar to the letter: there is no way to
 * write `..`, a backslash or a control character in a name.
 *
 * @throws NAME_INVALID, DENIED for a name without a team, DIGEST_INVALID; MANIFEST_INVALID for a reference that is neither tag nor digest.
 */
export function parseRegistryRoute(rawPath: string): RegistryRoute | undefined {
  const path = decode(rawPath);
  if (path === "/v2" || path === "/v2/") return { kind: "base" };
  if (path === "/v2/token") return { kind: "token" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const uploads = /^\/v2\/(.+)\/blobs\/uploads(?:\/([^/]*))?$/.exec(path);
  if (uploads !== null) {
    const name = toName(uploads[1]);
    const id = uploads[2] ?? "";
    return id === "" ? { kind: "uploads", name } : { kind: "upload", name, id };
  }
  const [, rawName, collection, item = ""] = /^\/v2\/(.+)\/(manifests|blobs|referrers|tags)\/([^/]+)$/.exec(path) ?? [];
  if (collection === undefined) return undefined;
  const name = toName(rawName);
  if (collection === "tags") return item === "list" ? { kind: "tags", name } : undefined;
  if (collection === "manifests") return { kind: "manifest", name, reference: toReference(item) };
  if (collection === "referrers") return { kind: "referrers", name, digest: toDigest(item) };
  return { kind: "blob", name, digest: toDigest(item) };
}

/** What a method does with a route; undefined where the specification has no such endpoint. */
export function operationOf(route: RegistryRoute, method: string): RegistryOperation | undefined {
  const isRead = method === "GET" || method === "HEAD";
  switch (route.kind) {
    case "base":
    case "token":
    case "catalog":
      return undefined;
    case "tags":
    case "referrers":
      return isRead ? "pull" : undefined;
    case "manifest":
      if (method === "PUT") return "push";
      return isRead ? "pull" : method === "DELETE" ? "delete" : undefined;
    case "blob":
      return isRead ? "pull" : method === "DELETE" ? "delete" : undefined;
    case "uploads":
      return method === "POST" ? "push" : undefined;
    case "upload":
      return ["GET", "HEAD", "PATCH", "PUT", "DELETE"].includes(method) ? "push" : undefined;
  }
}

export function toDigest(text: string): Digest {
  if (!isDigest(text)) throw registryError("DIGEST_INVALID", "provided digest is not sha256: and 64 hexadecimal digits", { digest: text });
  return text;
}

function toReference(text: string): ManifestReference {
  if (text.includes(":")) return { digest: toDigest(text) };
  if (!isTagName(text)) throw registryError("MANIFEST_INVALID", "invalid tag name", { tag: text });
  return { tag: text };
}

function toName(text: string | undefined): string {
  // Docker tries again for a minute on other codes, and shows this one with its sentence at once.
  if (text !== undefined && isRepositoryPath(`team/${text}`) && !text.includes("/")) {
    throw registryError("DENIED", `repositories are named <team>/<name>: ${text} has no team`, { name: text });
  }
  if (text === undefined || !isRepositoryPath(text)) {
    throw registryError("NAME_INVALID", "invalid repository name", { name: text ?? "" });
  }
  return text;
}

function decode(rawPath: string): string {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    throw registryError("NAME_INVALID", "invalid repository name");
  }
}
