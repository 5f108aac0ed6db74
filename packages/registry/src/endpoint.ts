import type { RegistrySettings } from "./options.ts";
import { isLoopbackHost } from "./public-address.ts";

/** One way to a registry. */
export type Endpoint = {
  /** `https://registry.example/` with a path only for mirrors that have one; ends with a slash. */
  base: URL;
  /** Whose credentials are used: a mirror's are its own. */
  domain: string;
  isMirror: boolean;
  /** TLS without checking the certificate. */
  isUnverified: boolean;
  ca: string | undefined;
  allowedOrigins: ReadonlySet<string>;
  /** Its own address must be public as well. */
  isPublicOnly: boolean;
  /** Where its credentials may go beside itself; undefined is anywhere. */
  credentialOrigins: ReadonlySet<string> | undefined;
};

const DOCKER_HUB = "docker.io";
const DOCKER_HUB_HOST = "registry-1.docker.io";

/**
 * The ways to a registry. The registry's own are two where plain HTTP is allowed: whether TLS is spoken is found out.
 * @param isPull mirrors are for pulls only.
 */
export function endpointsOf(domain: string, settings: RegistrySettings, isPull: boolean): { mirrors: Endpoint[]; own: Endpoint[] } {
  const common = {
    ca: settings.ca,
    allowedOrigins: originsOf(settings.allowedOrigins ?? []),
    isPublicOnly: settings.isPublicOnly ?? false,
    credentialOrigins: settings.credentialOrigins === undefined ? undefined : originsOf(settings.credentialOrigins),
  };
  const host = domain === DOCKER_HUB ? DOCKER_HUB_HOST : domain;
  const secure = new URL(`https://${host}/`);
  // Whoever names an authority wants the certificate checked, also on this machine.
  const isInsecure =
    settings.scheme === undefined && (settings.isInsecure ?? (settings.ca === undefined && isLoopbackHost(secure.hostname)));
  const plain = new URL(`http://${host}/`);
  const own = settings.scheme === "http" ? [plain] : [secure, ...(isInsecure ? [plain] : [])];
  const mirrors = isPull ? (settings.mirrors ?? []).map((mirror) => new URL(mirror.endsWith("/") ? mirror : `${mirror}/`)) : [];
  return {
    mirrors: mirrors.map((base) => ({ ...common, base, domain: base.host, isMirror: true, isUnverified: false })),
    own: own.map((base) => ({ ...common, base, domain, isMirror: false, isUnverified: isInsecure })),
  };
}

function originsOf(urls: readonly string[]): Set<string> {
  return new Set(urls.map((url) => new URL(url).origin));
}
