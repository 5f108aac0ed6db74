import {
  makeResource,
  NETWORK_REFUSAL,
  networkRequest,
  type NetworkWish,
  networkWish,
  type Resource,
  type ResourceBody,
} from "@flotilla/protocol";
import { sampleNetwork } from "@flotilla/protocol/sample-network";
import { beforeEach, describe, expect, test } from "vitest";
import { NetworkWishes } from "./network-wishes.ts";

/** A control plane that does what the test says. */
class FakeChannel {
  readonly wishes = new Map<string, NetworkWish>();
  isRead = true;
  document: Resource[] = [];
  expire = (): void => undefined;
  cancelled = 0;
  #tell = (): void => undefined;

  readonly desired = {
    resources: (kind: string): Resource[] => this.document.filter(({ key }) => key.startsWith(`${kind}/`)),
    onOutcome: (listener: () => void): (() => void) => {
      this.#tell = listener;
      return () => undefined;
    },
  };
  readonly observed = {
    set: (key: string, body: ResourceBody): void => void this.wishes.set(key, networkWish.parse(body)),
    remove: (key: string): void => void this.wishes.delete(key),
    isRead: true,
  };
  readonly timer = {
    after: (_ms: number, run: () => void): (() => void) => {
      this.expire = run;
      return () => (this.cancelled += 1);
    },
  };

  send(...document: Resource[]): void {
    this.document = document;
    this.#tell();
  }

  get only(): { id: string; wish: NetworkWish } {
    const [entry] = this.wishes;
    if (entry === undefined) throw new Error("nothing is wished");
    return { id: entry[0].slice("network-wish/".length), wish: entry[1] };
  }
}

const CALLER = { namespace: "default", ticket: "t1" };
const request = networkRequest.parse({ name: "web" });
let channel: FakeChannel;
let wishes: NetworkWishes;

beforeEach(() => {
  channel = new FakeChannel();
  wishes = new NetworkWishes({ desired: channel.desired, observed: channel.observed, timer: channel.timer, networkKind: "network" });
});

const refusal = (id: string, nonce: string): Resource =>
  makeResource(`${NETWORK_REFUSAL}/${id}`, { nonce, code: "conflict", message: "network with name web already exists" });

describe("an address that is wished", () => {
  const networkId = "ab".repeat(32);
  const told = (host: number) =>
    makeResource(`network/${networkId}`, { ...sampleNetwork(2, { id: networkId, pins: [{ host, address: "10.30.1.99" }] }), self: 1 });

  test("is there when the network has it as this host's", async () => {
    const pinned = wishes.pin(CALLER, { networkId, address: "10.30.1.99" });
    const { id, wish } = channel.only;
    expect(wish).toMatchObject({ verb: "pin", networkId, address: "10.30.1.99", caller: "t1" });
    expect(id).not.toBe(networkId);
    channel.send(told(2));
    expect(channel.wishes.size).toBe(1);
    channel.send(told(1));
    await pinned;
    expect(channel.wishes.size).toBe(0);
  });

  test("is refused with the control plane's words", async () => {
    const pinned = wishes.pin(CALLER, { networkId, address: "10.30.1.99" });
    const { id, wish } = channel.only;
    channel.send(told(2), refusal(id, wish.nonce));
    await expect(pinned).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("more addresses", () => {
  const networkId = "ab".repeat(32);
  const told = (...hosts: number[]) =>
    makeResource(`network/${networkId}`, {
      ...sampleNetwork(2, { id: networkId, blocks: hosts.map((host, index) => ({ host, cidr: `10.30.1.${16 * (index + 1)}/28` })) }),
      self: 1,
    });

  test("are there with one block more of this host's; who wants them at the same time wishes once", async () => {
    channel.send(told(1, 2));
    const both = Promise.all([wishes.grow(CALLER, networkId), wishes.grow(CALLER, networkId)]);
    expect(channel.wishes.size).toBe(1);
    // Nobody's right to change networks is needed: it is the host that asks.
    expect(channel.only.wish).toEqual({ verb: "grow", nonce: expect.any(String), namespace: "default", networkId, blocks: 1 });
    channel.send(told(1, 2, 2));
    expect(channel.wishes.size).toBe(1);
    channel.send(told(1, 2, 2, 1));
    await both;
    expect(channel.wishes.size).toBe(0);
    void wishes.grow(CALLER, networkId);
    expect(channel.only.wish).toMatchObject({ blocks: 2 });
  });

  test("are refused when the network has none", async () => {
    channel.send(told(1));
    const grown = wishes.grow(CALLER, networkId);
    const { id, wish } = channel.only;
    channel.send(told(1), refusal(id, wish.nonce));
    await expect(grown).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("a network that is wished", () => {
  test("is there when the desired state has it, and the wish is gone then", async () => {
    const made = wishes.create(CALLER, request);
    const { id, wish } = channel.only;
    expect(wish).toMatchObject({ verb: "create", namespace: "default", caller: "t1", request: { name: "web" } });
    channel.send(makeResource("network/other", {}));
    channel.send(makeResource(`network/${id}`, {}));
    expect(await made).toBe(id);
    expect(channel.wishes.size).toBe(0);
    expect(channel.cancelled).toBe(1);
  });

  test("is refused with the control plane's words; an answer to an earlier wish is none", async () => {
    const made = wishes.create(CALLER, request);
    const { id, wish } = channel.only;
    channel.send(refusal(id, "earlier-one"));
    expect(channel.wishes.size).toBe(1);
    channel.send(refusal(id, wish.nonce));
    await expect(made).rejects.toMatchObject({ code: "conflict", message: "network with name web already exists" });
    expect(channel.wishes.size).toBe(0);
  });

  test("that nobody answers is not waited for for ever", async () => {
    const made = wishes.create(CALLER, request);
    channel.expire();
    await expect(made).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("did not answer within 10 s") });
    expect(channel.wishes.size).toBe(0);
  });

  test("is refused at once while no control plane is connected", async () => {
    channel.observed.isRead = false;
    await expect(wishes.create(CALLER, request)).rejects.toMatchObject({ code: "unavailable" });
    await expect(wishes.remove(CALLER, "a".repeat(64))).rejects.toThrow("this host is not connected to its control plane");
    expect(channel.wishes.size).toBe(0);
  });

  test.each(["", "-x", "a b", "x".repeat(129)])("with name %j is refused before anybody is asked", async (name) => {
    await expect(wishes.create(CALLER, { ...request, name })).rejects.toMatchObject({ code: "invalid" });
    expect(channel.wishes.size).toBe(0);
  });
});

describe("a network that is to go", () => {
  const id = "b".repeat(64);

  test("is gone when the desired state has it no more", async () => {
    channel.send(makeResource(`network/${id}`, {}));
    const removed = wishes.remove(CALLER, id);
    channel.send(makeResource(`network/${id}`, { still: true }));
    expect(channel.only.wish).toMatchObject({ verb: "remove" });
    channel.send();
    await removed;
    expect(channel.wishes.size).toBe(0);
  });

  test("by two calls at once is a conflict for the second, and the first goes on", async () => {
    channel.send(makeResource(`network/${id}`, {}));
    const first = wishes.remove(CALLER, id);
    await expect(wishes.remove(CALLER, id)).rejects.toMatchObject({ code: "conflict" });
    expect(channel.wishes.size).toBe(1);
    channel.send();
    await first;
  });
});
