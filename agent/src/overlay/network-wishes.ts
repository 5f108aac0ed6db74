import { randomBytes } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import {
  NETWORK_REFUSAL,
  NETWORK_WISH,
  networkRefusal,
  type NetworkRequest,
  networkRequest,
  networkState,
  type NetworkWish,
  type Resource,
  type ResourceFailure,
} from "@flotilla/protocol";
import type { z } from "zod";
import type { ObservedPublisher } from "../state/observed-state.ts";
import type { Reconciler } from "../state/reconcilers.ts";
import type { Timer } from "../state/timer.ts";

/** How long a `docker network create` waits for the control plane. */
const PATIENCE_MS = 10_000;

/** Networks of the whole cluster, which only the control plane makes and removes. */
export type ClusterNetworks = {
  /** @returns its id. @throws what the control plane refuses with, `unavailable` when it is not there. */
  create(caller: WishCaller, request: NetworkRequest): Promise<string>;
  remove(caller: WishCaller, networkId: string): Promise<void>;
};

/** Who gives this host addresses that are in nobody's block. */
export type AddressPins = {
  /** Settles when the host may use the address. @throws as the above; conflict when another host uses it. */
  pin(caller: WishCaller, wanted: { networkId: string; address: string }): Promise<void>;
  /** Settles when the host has one more block of addresses. @throws as the above; exhausted when the network has none. */
  grow(caller: WishCaller, networkId: string): Promise<void>;
};

/** In whose namespace, and the control plane's ticket for who called, if it came from there. */
export type WishCaller = { namespace: string; ticket?: string };

export type NetworkWishesDeps = {
  desired: {
    resources(kind: string): readonly Resource[];
    onOutcome(listener: () => void): () => void;
  };
  observed: ObservedPublisher & { readonly isRead: boolean };
  timer: Timer;
  /** Kind of the desired resources that are networks. */
  networkKind: string;
};

/** What is looked at of a network that was told. */
const addressing = networkState.pick({ self: true, pins: true, blocks: true });

type Hope = { what: string; isTrue: () => boolean };

/**
 * Publishes wishes for cluster networks and waits until they have come true or were refused (packages/protocol/src/network-wish.ts).
 * A wish lives as long as the call that waits for it: an agent that is killed has none, and whoever asked sees what became of
 * it by `docker network ls`.
 */
export class NetworkWishes implements ClusterNetworks, AddressPins, Reconciler {
  readonly #deps: NetworkWishesDeps;
  readonly #waiting = new Map<string, () => void>();
  readonly #growing = new Map<string, Promise<void>>();

  constructor(deps: NetworkWishesDeps) {
    this.#deps = deps;
    // An outcome is told when everything of a document is applied: the network can be used then.
    deps.desired.onOutcome(() => this.#look());
  }

  async create({ namespace, ticket }: WishCaller, request: NetworkRequest): Promise<string> {
    const id = randomBytes(32).toString("hex");
    const parsed = networkRequest.safeParse(request);
    if (!parsed.success) throw new FlotillaError("invalid", describeIssue(parsed.error.issues));
    const wish = { verb: "create" as const, nonce: makeNonce(), namespace, ...callerOf(ticket), request: parsed.data };
    await this.#wish(id, wish, { what: `create network ${request.name}`, isTrue: () => this.#has(id) });
    return id;
  }

  async remove({ namespace, ticket }: WishCaller, networkId: string): Promise<void> {
    const wish = { verb: "remove" as const, nonce: makeNonce(), namespace, ...callerOf(ticket) };
    await this.#wish(networkId, wish, { what: `remove network ${networkId.slice(0, 12)}`, isTrue: () => !this.#has(networkId) });
  }

  async pin({ namespace, ticket }: WishCaller, { networkId, address }: { networkId: string; address: string }): Promise<void> {
    if (this.#hasPin(networkId, address)) return;
    const wish = { verb: "pin" as const, nonce: makeNonce(), namespace, ...callerOf(ticket), networkId, address };
    const isTrue = (): boolean => this.#hasPin(networkId, address);
    await this.#wish(randomBytes(32).toString("hex"), wish, { what: `reserve address ${address}`, isTrue });
  }

  /** Who needs it at the same time waits for the same block. */
  async grow({ namespace }: WishCaller, networkId: string): Promise<void> {
    const growing = this.#growing.get(networkId) ?? this.#grow(namespace, networkId).finally(() => this.#growing.delete(networkId));
    this.#growing.set(networkId, growing);
    return growing;
  }

  async #grow(namespace: string, networkId: string): Promise<void> {
    const blocks = this.#countBlocks(networkId);
    const wish = { verb: "grow" as const, nonce: makeNonce(), namespace, networkId, blocks };
    const isTrue = (): boolean => this.#countBlocks(networkId) > blocks;
    await this.#wish(randomBytes(32).toString("hex"), wish, { what: `get more addresses of network ${networkId.slice(0, 12)}`, isTrue });
  }

  /** Refusals have come. */
  async apply(): Promise<readonly ResourceFailure[]> {
    this.#look();
    return [];
  }

  #has(networkId: string): boolean {
    const { desired, networkKind } = this.#deps;
    return desired.resources(networkKind).some(({ key }) => key === `${networkKind}/${networkId}`);
  }

  #hasPin(networkId: string, address: string): boolean {
    const told = this.#addressing(networkId);
    return told?.pins.some((pin) => pin.host === told.self && pin.address === address) === true;
  }

  #countBlocks(networkId: string): number {
    const told = this.#addressing(networkId);
    return told?.blocks.filter(({ host }) => host === told.self).length ?? 0;
  }

  #addressing(networkId: string): z.output<typeof addressing> | undefined {
    const { desired, networkKind } = this.#deps;
    const found = desired.resources(networkKind).find(({ key }) => key === `${networkKind}/${networkId}`);
    return addressing.safeParse(found?.body).data;
  }

  #look(): void {
    for (const look of this.#waiting.values()) look();
  }

  async #wish(id: string, wish: NetworkWish, hope: Hope): Promise<void> {
    const { observed } = this.#deps;
    if (!observed.isRead)
      throw new FlotillaError(
        "unavailable",
        `${hope.what}: this host is not connected to its control plane, which decides over networks that span hosts`,
      );
    if (this.#waiting.has(id)) throw new FlotillaError("conflict", `${hope.what}: another call does so at this moment`);
    const key = `${NETWORK_WISH}/${id}`;
    try {
      await this.#waitFor(id, hope, () => {
        const { caller, ...body } = wish;
        observed.set(key, caller === undefined ? body : { ...body, caller });
        return wish.nonce;
      });
    } finally {
      this.#waiting.delete(id);
      observed.remove(key);
    }
  }

  #waitFor(id: string, hope: Hope, begin: () => string): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const cancel = this.#deps.timer.after(PATIENCE_MS, () => reject(tooLate(hope.what)));
      const nonce = begin();
      this.#waiting.set(id, () => {
        const refusal = this.#refusalOf(id, nonce);
        if (refusal === undefined && !hope.isTrue()) return;
        cancel();
        if (refusal === undefined) resolve();
        else reject(refusal);
      });
    });
  }

  #refusalOf(id: string, nonce: string): FlotillaError | undefined {
    const resource = this.#deps.desired.resources(NETWORK_REFUSAL).find(({ key }) => key === `${NETWORK_REFUSAL}/${id}`);
    const parsed = networkRefusal.safeParse(resource?.body);
    return parsed.success && parsed.data.nonce === nonce ? new FlotillaError(parsed.data.code, parsed.data.message) : undefined;
  }
}

const makeNonce = (): string => randomBytes(12).toString("base64url");

const callerOf = (ticket: string | undefined): { caller?: string } => (ticket === undefined ? {} : { caller: ticket });

function describeIssue([issue]: readonly { path: PropertyKey[]; message: string }[]): string {
  return issue === undefined ? "invalid network" : `invalid network ${issue.path.join(".")}: ${issue.message}`;
}

function tooLate(what: string): FlotillaError {
  return new FlotillaError(
    "unavailable",
    `${what}: the control plane did not answer within ${PATIENCE_MS / 1_000} s; \`docker network ls\` says whether it was done`,
  );
}
