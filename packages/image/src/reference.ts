// Image references after the grammar of the distribution project (reference.go) and Docker's normalisation: a name
// without a host is of docker.io, one without a path of docker.io/library.
import { FlotillaError } from "@flotilla/core";
import { isDigest, isHex64, type Digest } from "./digest.ts";

/** A parsed and normalised reference. `tag` and `digest` are only there when the text had them. */
export type Reference = {
  /** `docker.io`, `localhost:5000`, … */
  domain: string;
  /** Without the domain: `library/busybox`. */
  path: string;
  tag: string | undefined;
  digest: Digest | undefined;
};

const DEFAULT_DOMAIN = "docker.io";
const LEGACY_DOMAIN = "index.docker.io";
const OFFICIAL_PREFIX = "library/";
const DEFAULT_TAG = "latest";
const MAX_NAME_LENGTH = 255;
/** Name, tag (128) and digest (sha256: + 64) with their separators: nothing longer can be a reference. */
const MAX_REFERENCE_LENGTH = MAX_NAME_LENGTH + 1 + 128 + 1 + 71;

const DOMAIN_COMPONENT = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/** @throws FlotillaError `invalid`, worded as Docker words it. */
export function parseReference(text: string): Reference {
  if (text === "" || text.length > MAX_REFERENCE_LENGTH) throw invalid();
  if (isHex64(text)) throw new FlotillaError("invalid", `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const { name, tag, digest } = splitSuffixes(text);
  const { domain, path } = splitDomain(name);
  if (path.toLowerCase() !== path)
    throw new FlotillaError("invalid", `invalid reference format: repository name (${path}) must be lowercase`);
  if (!DOMAIN.test(domain) || !path.split("/").every((part) => PATH_COMPONENT.test(part))) throw invalid();
  if (domain.length + 1 + path.length > MAX_NAME_LENGTH)
    throw new FlotillaError("invalid", `repository name must not be more than ${MAX_NAME_LENGTH} characters`);
  return { domain, path, tag, digest };
}

/** The reference, or undefined when the text is not one. */
export function findReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** With the tag `latest` when there is neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: DEFAULT_TAG };
}

/** `docker.io/library/busybox`: the repository alone. */
export function repositoryOf(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** `docker.io/library/busybox:latest`: the form that is stored. */
export function formatCanonical(reference: Reference): string {
  return repositoryOf(reference) + suffixOf(reference);
}

/** `busybox:latest`: the form that people see. */
export function formatFamiliar(reference: Reference): string {
  return familiarRepository(reference) + suffixOf(reference);
}

/** `busybox`, `user/app`, `localhost:5000/app`. */
export function familiarRepository(reference: Pick<Reference, "domain" | "path">): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  const rest = reference.path.startsWith(OFFICIAL_PREFIX) ? reference.path.slice(OFFICIAL_PREFIX.length) : reference.path;
  // `docker.io/library/a/b` must not become `a/b`, which is another repository.
  return rest.includes("/") ? reference.path : rest;
}

/** Shell pattern of `docker images --filter reference=`: `*`, `?` and `[…]` do not cross a slash (Go path.Match). */
export function matchesPattern(pattern: string, reference: Reference): boolean {
  const expression = patternExpression(pattern);
  return [formatFamiliar(reference), familiarRepository(reference)].some((text) => expression.test(text));
}

function patternExpression(pattern: string): RegExp {
  const source = pattern.replace(/\[[^\]/]*\]|[*?]|[^*?[]|\[/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1) return `[${part.slice(1, -1).replace(/\\/g, "\\\\")}]`;
    return part.replace(/[.+^${}()|\\[\]]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    throw new FlotillaError("invalid", `invalid filter 'reference=${pattern}'`);
  }
}

function suffixOf(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}

function splitSuffixes(text: string): { name: string; tag: string | undefined; digest: Digest | undefined } {
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid();
  const rest = at === -1 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(":");
  // A colon before the last slash belongs to the port of the domain.
  if (colon <= rest.lastIndexOf("/")) return { name: rest, tag: undefined, digest };
  const tag = rest.slice(colon + 1);
  if (!TAG.test(tag)) throw invalid();
  return { name: rest.slice(0, colon), tag, digest };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first;
  const domain = isDomain && first !== LEGACY_DOMAIN ? first : DEFAULT_DOMAIN;
  const path = isDomain ? name.slice(slash + 1) : name;
  if (domain === DEFAULT_DOMAIN && !path.includes("/")) return { domain, path: OFFICIAL_PREFIX + path };
  return { domain, path };
}

function invalid(): FlotillaError {
  return new FlotillaError("invalid", "invalid reference format");
}
