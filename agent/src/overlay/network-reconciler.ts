import { kindOf, NETWORK_KIND, NETWORK_SERVICE_KIND, type ObservedNetwork, type Resource, type ResourceFailure } from "@flotilla/protocol";
import type { ObservedDescriber } from "../state/observed-state.ts";
import type { Reconciler } from "../state/reconcilers.ts";
import type { ServiceBodies } from "./network-services.ts";

/** What it needs of the engine's networks. */
export type OverlayHost = {
  applyOverlays(bodies: ReadonlyMap<string, unknown>, services: ServiceBodies): Promise<Map<string, string>>;
  /** Services that the host has, as `<network id>/<service id>`. */
  overlayServices(): Iterable<string>;
  describeOverlay(networkId: string): ObservedNetwork | undefined;
  onOverlayChanged(listener: (networkId: string) => void): () => void;
};

const MAX_MESSAGE = 500;
const keyOf = (networkId: string): string => `${NETWORK_KIND}/${networkId}`;
/** An id is a network's, or `<network id>/<service id>`. */
const keyOfId = (id: string): string => (id.includes("/") ? `${NETWORK_SERVICE_KIND}/${id}` : keyOf(id));
const idOf = (key: string): string => key.slice(key.indexOf("/") + 1);

/** The overlay networks of this host's desired state with their services, and what the host tells of them. */
export class NetworkReconciler implements Reconciler {
  readonly #host: OverlayHost;
  readonly #observed: ObservedDescriber;
  #problems: ReadonlyMap<string, string> = new Map();
  #published = new Set<string>();
  #isApplying = false;
  /** Services that are applied, as they came; undefined at first: what an earlier agent applied. */
  readonly #services = new Map<string, Resource | undefined>();
  #isSeeded = false;

  /** @param retry asks for another `apply`: what kept a network from working, or from going, may be over. */
  constructor(host: OverlayHost, observed: ObservedDescriber, retry: () => void) {
    this.#host = host;
    this.#observed = observed;
    host.onOverlayChanged((networkId) => {
      this.#publish(networkId);
      if (!this.#isApplying && this.#problems.has(networkId)) retry();
    });
  }

  async apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    const bodies = new Map<string, Resource["body"]>();
    const services: Resource[] = [];
    for (const resource of resources) {
      if (kindOf(resource.key) === NETWORK_KIND) bodies.set(idOf(resource.key), resource.body);
      else services.push(resource);
    }
    const changed = this.#changed(services);
    this.#isApplying = true;
    let failures: ReadonlyMap<string, string>;
    try {
      failures = await this.#host.applyOverlays(bodies, new Map([...changed].map(([key, resource]) => [idOf(key), resource?.body])));
    } finally {
      this.#isApplying = false;
    }
    this.#remember(changed, failures);
    this.#problems = problemsOf(failures);
    for (const networkId of new Set([...bodies.keys(), ...this.#published])) this.#publish(networkId);
    return [...failures].map(([id, message]) => ({ key: keyOfId(id), message: message.slice(0, MAX_MESSAGE) }));
  }

  /** By key; undefined for one that went. A resource that did not change is the same object at every call. */
  #changed(services: readonly Resource[]): Map<string, Resource | undefined> {
    if (!this.#isSeeded) for (const id of this.#host.overlayServices()) this.#services.set(keyOfId(id), undefined);
    this.#isSeeded = true;
    const changed = new Map<string, Resource | undefined>();
    let kept = 0;
    for (const resource of services) {
      if (this.#services.has(resource.key)) kept += 1;
      if (this.#services.get(resource.key) !== resource) changed.set(resource.key, resource);
    }
    if (kept === this.#services.size) return changed;
    const wanted = new Set(services.map(({ key }) => key));
    for (const key of this.#services.keys()) if (!wanted.has(key)) changed.set(key, undefined);
    return changed;
  }

  /** What failed, and what its network's failure kept, is new again at the next call. */
  #remember(changed: ReadonlyMap<string, Resource | undefined>, failures: ReadonlyMap<string, string>): void {
    for (const [key, resource] of changed) {
      const [networkId = ""] = idOf(key).split("/");
      if (resource === undefined) this.#services.delete(key);
      else if (!failures.has(idOf(key)) && !failures.has(networkId)) this.#services.set(key, resource);
    }
  }

  #publish(networkId: string): void {
    this.#published.add(networkId);
    this.#observed.describe(keyOf(networkId), () => {
      const found = this.#host.describeOverlay(networkId);
      if (found === undefined) {
        this.#published.delete(networkId);
        return undefined;
      }
      const { pins, ...rest } = found;
      const problem = this.#problems.get(networkId) ?? found.problem;
      return { ...rest, ...(pins === undefined ? {} : { pins }), problem };
    });
  }
}

/** By network: its own, or else that of a service of it. */
function problemsOf(failures: ReadonlyMap<string, string>): Map<string, string> {
  const problems = new Map<string, string>();
  for (const [id, message] of failures) {
    const [networkId = ""] = id.split("/");
    if (!id.includes("/") || !problems.has(networkId)) problems.set(networkId, message);
  }
  return problems;
}
