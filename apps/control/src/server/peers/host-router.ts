import { FlotillaError } from "@flotilla/core";
import type { HostChangeKind, HostLinks, HostLiveState } from "@flotilla/services";
import type { AgentHub } from "../agent-hub/agent-hub.ts";
import type { HostConnection } from "../agent-hub/host-connection.ts";
import type { RawCall, RawRequest } from "../agent-hub/tunnel-calls.ts";
import type { Peers } from "./peers.ts";
import { type EngineLink, RelayLink } from "./relay-link.ts";
import type { RemoteHost } from "./roster.ts";

type Change = { hostId: string; kind: HostChangeKind };
type Ref = { id: string; name: string };

export type RouterOptions = {
  hub: Pick<AgentHub, "find" | "state" | "drop" | "onChange">;
  peers: Pick<Peers, "find" | "findUnreached" | "prove" | "drop" | "onChange">;
  /** Who is behind a ticket for a host, as another control plane takes it. */
  describeCaller: (hostId: string, ticket: string) => string | undefined;
};

/** All connected hosts, wherever their connection is: what services, the Docker API and terminals work with. */
export class HostRouter implements HostLinks {
  readonly #options: RouterOptions;
  readonly #listeners = new Set<(change: Change) => void>();
  /** Where each host that is online was last seen: late word of an older connection is no news. */
  readonly #known = new Map<string, string>();
  readonly #stops: (() => void)[];

  constructor(options: RouterOptions) {
    this.#options = options;
    const onChange = (change: Change): void => this.#settle(change);
    this.#stops = [options.hub.onChange(onChange), options.peers.onChange(onChange)];
  }

  get(host: Ref): EngineLink {
    const { peers, describeCaller } = this.#options;
    const { here, there } = this.#find(host.id);
    if (here !== undefined) return this.#own(here, host);
    const session = there?.link.session;
    if (there !== undefined && session !== undefined) {
      return new RelayLink({
        session,
        host,
        epoch: there.host.epoch,
        planeUrl: there.link.plane.url,
        describeCaller: (ticket) => describeCaller(host.id, ticket),
      });
    }
    const unreached = peers.findUnreached(host.id);
    if (unreached === undefined) throw new FlotillaError("unavailable", `host ${host.name} is not connected`);
    throw new FlotillaError(
      "unavailable",
      `host ${host.name} is connected to the control plane at ${unreached.url}, which does not answer`,
    );
  }

  state(hostId: string): HostLiveState {
    const { hub, peers } = this.#options;
    const { here, there } = this.#find(hostId);
    if (here === undefined && there !== undefined) {
      const { stats, facts, heardAtMs } = there.host;
      return { isOnline: true, stats, facts, lastSeenAtMs: heardAtMs, isElsewhere: true };
    }
    const state = hub.state(hostId);
    if (here === undefined && peers.findUnreached(hostId) !== undefined)
      return { isOnline: false, stats: null, facts: null, lastSeenAtMs: null, isElsewhere: true };
    return state;
  }

  drop(hostId: string, reason: string): void {
    this.#options.hub.drop(hostId, reason);
    this.#options.peers.drop(hostId, reason);
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
  }

  /** The newest connection of a host: at most one of the two. */
  #find(hostId: string): { here?: HostConnection; there?: { link: NonNullable<ReturnType<Peers["find"]>>["link"]; host: RemoteHost } } {
    const here = this.#options.hub.find(hostId);
    const there = this.#options.peers.find(hostId);
    if (here !== undefined && here.epoch >= (there?.host.epoch ?? -1)) return { here };
    return there === undefined ? {} : { there };
  }

  #own(connection: HostConnection, { name }: Ref): EngineLink {
    const { peers } = this.#options;
    return {
      hostId: connection.hostId,
      epoch: connection.epoch,
      request: async (request) => {
        await peers.prove(connection, name);
        return connection.request(request);
      },
      openRaw: async (request: RawRequest): Promise<RawCall> => {
        await peers.prove(connection, name);
        return connection.openRaw(request);
      },
    };
  }

  #settle({ hostId, kind }: Change): void {
    if (kind === "stats" || kind === "state") {
      this.#emit({ hostId, kind });
      return;
    }
    const { here, there } = this.#find(hostId);
    const now = here === undefined ? there && `${there.link.plane.id} ${there.host.epoch}` : `here ${here.epoch}`;
    if (this.#known.get(hostId) === now) return;
    if (now === undefined) this.#known.delete(hostId);
    else this.#known.set(hostId, now);
    this.#emit({ hostId, kind: now === undefined ? "offline" : "online" });
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}
