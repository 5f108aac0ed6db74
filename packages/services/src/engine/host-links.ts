import type { Readable } from "node:stream";
import type { HostFacts, HostStats } from "@flotilla/protocol";

export type EngineRequest = {
  method: string;
  /** Path with query, such as `/v1.47/containers/json?all=1`. */
  path: string;
  namespace: string;
  /** The host's guard rails do not bind whoever asks. Left out, they do. */
  isExempt?: boolean;
  headers?: Readonly<Record<string, string>>;
  body?: Readable | string | Uint8Array;
  signal?: AbortSignal;
};

/** `body` must be read or destroyed. Destroying it cancels the call on the host. */
export type EngineResponse = { status: number; headers: Readonly<Record<string, string>>; body: Readable };

/** The Docker Engine API of one connected host. */
export type HostLink = {
  hostId: string;
  epoch: number;
  request(request: EngineRequest): Promise<EngineResponse>;
};

export type HostLiveState = {
  isOnline: boolean;
  stats: HostStats | null;
  facts: HostFacts | null;
  lastSeenAtMs: number | null;
  /** Another control plane holds its connection: only that one judges whether it is there. */
  isElsewhere: boolean;
};

/** `state`: how far it is with its desired state, or what it observes. */
export type HostChangeKind = "online" | "offline" | "stats" | "state";

/** The connected hosts. */
export type HostLinks = {
  /** @throws unavailable when the host is not connected. */
  get(host: { id: string; name: string }): HostLink;
  state(hostId: string): HostLiveState;
  /** Ends the host's connection, if any: after removing the host. */
  drop(hostId: string, reason: string): void;
  /** Called when a host comes, goes, sends new stats or reports its state; returns the function that ends it. */
  onChange(listener: (change: { hostId: string; kind: HostChangeKind }) => void): () => void;
};
