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
};

const DOCKER_HUB = "docker.io";
const DOCKER_HUB_HOST = "registry-1.docker.io";

/**
 * The ways to a registry. The registry's own are two where plain HTTP is allowed: whether TLS is spoken is found out.
 * @param isPull mirrors are for pulls only.
 */
export function endpointsOf(domain: string, settings: RegistrySettings, isPull: boolean): { mirrors: Endpoint[]; own: Endpoint[] } {
  const common = { ca: settings.ca, allowedOrigins: new Set((settings.allowedOrigins ?? []).map((origin) => new URL(origin).origin)) };
  const host = domain === DOCKER_HUB ? DOCKER_HUB_HOST : domain;
  const secure = new URL(`https://${host}/`);
  // Whoever names an authority wants the certificate checked, also on this machine.
  const isInsecure = settings.isInsecure ?? (settings.ca === undefined && isLoopbackHost(secure.hostname));
  const own = [secure, ...(isInsecure ? [new URL(`http://${host}/`)] : [])];
  const mirrors = isPull ? (settings.mirrors ?? []).map((mirror) => new URL(mirror.endsWith("/") ? mirror : `${mirror}/`)) : [];
  return {
    mirrors: mirrors.map((base) => ({ ...common, base, domain: base.host, isMirror: true, isUnverified: false })),
    own: own.map((base) => ({ ...common, base, domain, isMirror: false, isUnverified: isInsecure })),
  };
}
