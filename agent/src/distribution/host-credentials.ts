import { type RegistryCredentials, registryCredentials, type Resource, type ResourceFailure } from "@flotilla/protocol";
import { type Credentials, isLoopbackHost } from "@flotilla/registry";
import type { Reconciler } from "../state/reconcilers.ts";

/** Credentials that this host has of its own, for calls that bring none. */
export type OwnCredentials = {
  /** @param domain as it stands in a reference. */
  find(namespace: string, domain: string): Credentials | undefined;
};

export type HostCredentialsOptions = {
  /** URL by which this host dials its control plane; undefined before it has joined one. */
  controlUrl: () => string | undefined;
  nowMs: () => number;
};

/**
 * The registry credentials of this host's desired state. They go to the control plane's registry alone: to the address by
 * which this host dials it, and to the one that the operator configured. That one counts only if it cannot mean something
 * else here: an address of loopback is another machine's on every host but the control plane's own.
 */
export class HostCredentials implements Reconciler, OwnCredentials {
  readonly #options: HostCredentialsOptions;
  #current: RegistryCredentials | undefined;

  constructor(options: HostCredentialsOptions) {
    this.#options = options;
  }

  async apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    const [first] = resources;
    const parsed = registryCredentials.safeParse(first?.body);
    this.#current = parsed.success ? parsed.data : undefined;
    return first === undefined || parsed.success
      ? []
      : [{ key: first.key, message: "the credentials are not of a form that this agent knows" }];
  }

  find(namespace: string, domain: string): Credentials | undefined {
    const current = this.#current;
    if (current === undefined || !current.namespaces.includes(namespace)) return undefined;
    if (Date.parse(current.expiresAt) <= this.#options.nowMs()) return undefined;
    if (!this.#addresses(current).has(domain.toLowerCase())) return undefined;
    return { username: current.username, password: current.password };
  }

  #addresses({ serverAddress }: RegistryCredentials): Set<string> {
    const controlUrl = this.#options.controlUrl();
    if (controlUrl === undefined || !URL.canParse(controlUrl)) return new Set();
    const dialled = new URL(controlUrl);
    const addresses = new Set(namesOf(dialled));
    const configured = `${dialled.protocol}//${serverAddress}`;
    if (!URL.canParse(configured)) return addresses;
    const { hostname } = new URL(configured);
    if (!isLoopbackHost(hostname) || isLoopbackHost(dialled.hostname)) addresses.add(serverAddress.toLowerCase());
    return addresses;
  }
}

/** A registry's names in references: the default port may be written or not. */
function namesOf({ host, port, protocol }: URL): string[] {
  return port === "" ? [host, `${host}:${protocol === "https:" ? 443 : 80}`] : [host];
}
