import type { ClientHttp2Session } from "node:http2";
import { FlotillaError } from "@flotilla/core";
import { CALLER_HEADER, RELAY_CALLER_HEADER, RELAY_EPOCH_HEADER, RELAY_HOST_HEADER, RELAY_REFUSAL_HEADER } from "@flotilla/protocol";
import type { EngineRequest, EngineResponse, HostLink } from "@flotilla/services";
import { type RawCall, type RawRequest, TunnelCalls } from "../agent-hub/tunnel-calls.ts";

/** What people work with: the Docker Engine API of a host, wherever its connection is. */
export type EngineLink = HostLink & {
  /** Opens a full-duplex call without waiting for its answer: the raw input may have to be sent first. */
  openRaw(request: RawRequest): Promise<RawCall>;
};

export type RelayOptions = {
  session: ClientHttp2Session;
  host: { id: string; name: string };
  epoch: number;
  /** Where the control plane that holds the host is. */
  planeUrl: string;
  /** Who is behind a ticket that was issued here, as the other control plane takes it. */
  describeCaller: (ticket: string) => string | undefined;
};

/** A host that another control plane holds: calls go there, and from there to the host. */
export class RelayLink implements EngineLink {
  readonly hostId: string;
  readonly epoch: number;
  readonly #calls: TunnelCalls;
  readonly #describeCaller: RelayOptions["describeCaller"];

  constructor({ session, host, epoch, planeUrl, describeCaller }: RelayOptions) {
    this.hostId = host.id;
    this.epoch = epoch;
    this.#describeCaller = describeCaller;
    this.#calls = new TunnelCalls({
      session,
      label: `host ${host.name} by way of the control plane at ${planeUrl}`,
      goneMessage: `host ${host.name} is connected to the control plane at ${planeUrl}, which does not answer`,
      headers: { [RELAY_HOST_HEADER]: host.id, [RELAY_EPOCH_HEADER]: String(epoch) },
      check: (headers) => {
        if (headers[RELAY_REFUSAL_HEADER] !== undefined) throw new FlotillaError("unavailable", `host ${host.name} is not connected`);
      },
    });
  }

  async request(request: EngineRequest): Promise<EngineResponse> {
    return this.#calls.request({ ...request, headers: this.#headers(request) });
  }

  async openRaw(request: RawRequest): Promise<RawCall> {
    return this.#calls.openRaw({ ...request, headers: this.#headers(request) });
  }

  #headers({ headers = {} }: RawRequest): Readonly<Record<string, string>> {
    const { [CALLER_HEADER]: ticket, ...rest } = headers;
    const caller = ticket === undefined ? undefined : this.#describeCaller(ticket);
    return caller === undefined ? rest : { ...rest, [RELAY_CALLER_HEADER]: caller };
  }
}
