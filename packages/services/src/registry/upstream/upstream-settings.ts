import { FlotillaError } from "@flotilla/core";
import type { RegistryUpstream } from "@flotilla/db";
import type { RegistrySettings } from "@flotilla/registry";
import { openText } from "../../access/secrets.ts";

/** A repository that is pulled through: ours is `path`, the upstream's `remotePath`. */
export type CachedRepository = { upstream: RegistryUpstream; path: string; remotePath: string };

export const DOCKER_HUB_URL = "https://registry-1.docker.io";

/** `host:port` of an upstream. */
export function domainOf({ url }: Pick<RegistryUpstream, "url">): string {
  return new URL(url).host;
}

/** How the client of registries is to treat an upstream. Private addresses and plain HTTP are what its administrator allowed. */
export function settingsOf(upstream: Pick<RegistryUpstream, "url" | "ca" | "tokenServer" | "allowsPrivate">): RegistrySettings {
  const { url, ca, tokenServer, allowsPrivate } = upstream;
  const tokenServers = tokenServer === null ? [] : [tokenServer];
  const known = url === DOCKER_HUB_URL ? ["https://auth.docker.io"] : [];
  return {
    scheme: url.startsWith("http:") ? "http" : "https",
    isPublicOnly: !allowsPrivate,
    // Allowed means also inside: only where the administrator said so.
    allowedOrigins: allowsPrivate ? tokenServers : [],
    credentialOrigins: [...tokenServers, ...known],
    ...(ca === null ? {} : { ca }),
  };
}

/** Name and password for an upstream; undefined when it needs none. */
export function credentialsOf(sealKey: Uint8Array, upstream: RegistryUpstream): { username: string; password: string } | undefined {
  const { id, username, sealedPassword } = upstream;
  if (username === null) return undefined;
  if (sealedPassword === null) throw new FlotillaError("conflict", `upstream ${upstream.name} has a name and no password`);
  return { username, password: openText(sealKey, sealedPassword, `registry upstream ${id}`) };
}
