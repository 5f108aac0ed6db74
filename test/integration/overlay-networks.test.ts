import { makeResource, networkRequest, type NetworkRequest, type Resource } from "@flotilla/protocol";
import {
  composeHostState,
  createOverlay,
  judgeHosts,
  pinAddress,
  removeOverlay,
  settleOverlays,
  storeObserved,
  SYSTEM,
} from "@flotilla/services";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestControl, type TestControl } from "../support/control.ts";

// Networks, leases and composing over a real Postgres; the hosts are rows.
let control: TestControl;
let teamId: string;
let hosts: string[];
let nowMs = 1_800_000_000_000;
let realNow: () => number;

const ask = (name: string, more: Partial<NetworkRequest> = {}): NetworkRequest => networkRequest.parse({ name, ...more });
const create = (name: string, more: Partial<NetworkRequest> = {}): Promise<{ id: string; warnings: string[] }> =>
  createOverlay(control.services, SYSTEM, { teamId, request: ask(name, more) });

beforeAll(async () => {
  // Hosts are judged by the tests alone, whose clock is another.
  control = await startTestControl({ judgeAfterMs: Number.POSITIVE_INFINITY });
  teamId = (await control.services.prisma.team.findFirstOrThrow()).id;
  realNow = control.services.nowMs;
  Object.assign(control.services, { nowMs: () => nowMs });
});
beforeEach(async () => (hosts = await addHosts(3)));
afterEach(async () => {
  const { prisma } = control.services;
  await prisma.overlayNetwork.deleteMany();
  await prisma.host.deleteMany();
});
afterAll(async () => {
  Object.assign(control.services, { nowMs: realNow });
  await control.close();
});

async function addHosts(count: number): Promise<string[]> {
  const made: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const { id } = await control.services.prisma.host.create({
      data: { teamId, name: `h${Math.random()}`, publicKey: `key ${Math.random()}`, lastSeenAt: new Date(nowMs) },
    });
    made.push(id);
    await report(id, underlay(`10.9.0.${index + 1}`));
  }
  return made;
}

const underlay = (address: string): Resource => makeResource("underlay", { address, mtuBytes: 1500, routes: [] });

function endpoints(networkId: string, addresses: string[]): Resource {
  const list = addresses.map((address) => ({
    id: "e",
    containerId: `c${address}`,
    containerName: `web-${address}`,
    address,
    address6: null,
    macAddress: "02:42:00:00:00:01",
    aliases: ["web"],
  }));
  return makeResource(`network/${networkId}`, { mtuBytes: 1450, endpoints: list, problem: null });
}

let sequence = 1;
async function report(hostId: string, ...set: Resource[]): Promise<void> {
  await storeObserved(control.services, { hostId, epoch: 1 }, { type: "observed_delta", sequence: (sequence += 1), set, remove: [] });
}

async function composed(hostId: string | undefined, networkId: string): Promise<Record<string, unknown>> {
  const { resources } = await composeHostState(control.services, hostId ?? "");
  return resources.find(({ key }) => key === `network/${networkId}`)?.body ?? {};
}

describe("making networks", () => {
  test("each host has a block at once, and its number is never another's", async () => {
    const { id } = await create("web");
    const state = await composed(hosts[0], id);
    const numbers = (await control.services.prisma.host.findMany({ orderBy: { number: "asc" } })).map(({ number }) => number);
    expect(state).toMatchObject({
      name: "web",
      subnet: "10.64.0.0/20",
      self: numbers[0],
      hosts: numbers.map((number, index) => ({ number, underlay: `10.9.0.${index + 1}` })),
      blocks: numbers.map((number, index) => ({ host: number, cidr: `10.64.0.${16 * (index + 1)}/28` })),
    });
    await control.services.prisma.host.delete({ where: { id: hosts[2] ?? "" } });
    const [another] = await addHosts(1);
    const { number } = await control.services.prisma.host.findUniqueOrThrow({ where: { id: another ?? "" } });
    expect(number).toBeGreaterThan(Math.max(...numbers));
  });

  test("two networks may have one subnet; their VNIs differ", async () => {
    const first = await create("a", { subnet: "10.1.0.0/24" });
    const second = await create("b", { subnet: "10.1.0.0/24" });
    expect(second.warnings).toHaveLength(1);
    const [a, b] = [await composed(hosts[0], first.id), await composed(hosts[0], second.id)];
    expect(b["blocks"]).toEqual(a["blocks"]);
    expect(Number(b["vni"])).toBeGreaterThan(Number(a["vni"]));
    expect(Number(a["vni"])).toBeGreaterThanOrEqual(4097);
  });

  test("a name once; the same wish twice is one network", async () => {
    const id = "b".repeat(64);
    const wish = { teamId, request: ask("web"), id };
    const made = await Promise.all(Array.from({ length: 5 }, () => createOverlay(control.services, SYSTEM, wish)));
    expect(new Set(made.map((each) => each.id))).toEqual(new Set([id]));
    await expect(create("web")).rejects.toMatchObject({ code: "conflict", message: "network with name web already exists" });
    expect(await control.services.prisma.overlayNetwork.count()).toBe(1);
  });

  test("the id of another team's network is as good as taken", async () => {
    const { prisma } = control.services;
    const other = await prisma.team.create({ data: { name: "Other", slug: "other", namespace: "other" } });
    const id = "c".repeat(64);
    await createOverlay(control.services, SYSTEM, { teamId: other.id, request: ask("theirs"), id });
    await expect(createOverlay(control.services, SYSTEM, { teamId, request: ask("theirs"), id })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(removeOverlay(control.services, SYSTEM, { teamId, network: id })).rejects.toMatchObject({ code: "not_found" });
    expect(await composed(hosts[0], id)).toEqual({});
  });

  test("what is made and removed is in the audit", async () => {
    const { id } = await create("noted");
    await removeOverlay(control.services, SYSTEM, { teamId, network: "noted" });
    const audit = await control.services.prisma.auditRow.findMany({ where: { objectId: id }, orderBy: { id: "asc" } });
    expect(audit.map(({ action, outcome, actorKind }) => [action, outcome, actorKind])).toEqual([
      ["network.change", "ok", "system"],
      ["network.remove", "ok", "system"],
    ]);
  });
});

describe("leases", () => {
  test("50 tasks at once: no address is two hosts', nobody is left without", async () => {
    const { id } = await create("crowd", { subnet: "10.2.0.0/22" });
    await addHosts(47);
    await Promise.all(Array.from({ length: 50 }, () => settleOverlays(control.services, teamId)));
    const leases = await control.services.prisma.overlayLease.findMany({ where: { networkId: id, kind: "block" } });
    expect(leases).toHaveLength(50);
    expect(new Set(leases.map(({ cidr }) => cidr)).size).toBe(50);
    expect(new Set(leases.map(({ hostId }) => hostId)).size).toBe(50);
  });

  test("the database itself refuses what overlaps, in one network only", async () => {
    const { id } = await create("a");
    const { prisma } = control.services;
    const row = { networkId: id, kind: "block", hostId: hosts[0] ?? "", leasedAt: new Date() };
    await expect(prisma.overlayLease.create({ data: { ...row, cidr: "10.64.0.17/32" } })).rejects.toThrow(/overlay_leases_no_overlap/);
    const { id: other } = await create("b", { subnet: "10.3.0.0/24" });
    await prisma.overlayLease.create({ data: { ...row, networkId: other, cidr: "10.64.0.17/32" } });
  });

  test("a host more than there are blocks waits; when one was removed and has rested it gets the block", async () => {
    const { id } = await create("small", { subnet: "10.2.0.0/28" });
    const [late] = await addHosts(1);
    await settleOverlays(control.services, teamId);
    const held = async (): Promise<(string | null)[]> =>
      (await control.services.prisma.overlayLease.findMany({ where: { networkId: id, kind: "block" }, orderBy: { cidr: "asc" } })).map(
        ({ hostId }) => hostId,
      );
    expect(await held()).toEqual(hosts);
    await control.services.prisma.host.delete({ where: { id: hosts[1] ?? "" } });
    await settleOverlays(control.services, teamId);
    expect(await held()).toEqual([hosts[0], null, hosts[2]]);
    nowMs += 120_000;
    await settleOverlays(control.services, teamId);
    await settleOverlays(control.services, teamId);
    expect((await held()).toSorted()).toEqual([hosts[0], hosts[2], late].toSorted());
  });

  test("more addresses than one block: another one comes before it is full", async () => {
    const { id } = await create("web");
    const used = Array.from({ length: 13 }, (_, index) => `10.64.0.${17 + index}`);
    await report(hosts[0] ?? "", endpoints(id, used));
    await settleOverlays(control.services, teamId);
    const blocks = await control.services.prisma.overlayLease.findMany({
      where: { networkId: id, hostId: hosts[0] ?? "" },
      orderBy: { cidr: "asc" },
    });
    expect(blocks.map(({ cidr }) => cidr)).toEqual(["10.64.0.16/28", "10.64.0.64/28"]);
  });

  test("one address claimed by 20 at once is one's; one of a block is nobody's to claim", async () => {
    const { id } = await create("pins");
    const claims = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        pinAddress(control.services, { networkId: id, hostId: hosts[index % 3] ?? "", address: "10.64.9.9" }),
      ),
    );
    const winners = new Set(claims.flatMap(({ status }, index) => (status === "fulfilled" ? [index % 3] : [])));
    expect(winners.size).toBe(1);
    expect((await composed(hosts[0], id))["pins"]).toHaveLength(1);
    for (const address of ["10.64.0.20", "10.64.0.1", "10.99.0.1"]) {
      await expect(pinAddress(control.services, { networkId: id, hostId: hosts[0] ?? "", address })).rejects.toThrow(
        "Address already in use",
      );
    }
  });
});

describe("endpoints", () => {
  test("are the members of the others; gone, they are dead for a while", async () => {
    const { id } = await create("web");
    await report(hosts[1] ?? "", endpoints(id, ["10.64.0.33"]));
    expect(await composed(hosts[0], id)).toMatchObject({ members: [{ address: "10.64.0.33", aliases: ["web"] }], dead: [] });
    expect((await composed(hosts[1], id))["members"]).toEqual([]);
    await report(hosts[1] ?? "", endpoints(id, []));
    expect(await composed(hosts[0], id)).toMatchObject({ members: [], dead: ["10.64.0.33"] });
    nowMs += 121_000;
    await settleOverlays(control.services, teamId);
    expect((await composed(hosts[0], id))["dead"]).toEqual([]);
  });

  test("a snapshot of an agent that has just begun kills nobody", async () => {
    const { id } = await create("web");
    const host = hosts[1] ?? "";
    await report(host, endpoints(id, ["10.64.0.33"]));
    await storeObserved(
      control.services,
      { hostId: host, epoch: 2 },
      { type: "observed_snapshot", sequence: 1, resources: [underlay("10.9.0.2")] },
    );
    expect(await composed(hosts[0], id)).toMatchObject({ members: [], dead: [] });
  });

  test("keep their network from being removed, in Docker's words", async () => {
    const { id } = await create("web");
    await report(hosts[1] ?? "", endpoints(id, ["10.64.0.33"]));
    await expect(removeOverlay(control.services, SYSTEM, { teamId, network: "web" })).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining(`error while removing network: network web id ${id} has active endpoints`),
    });
    await report(hosts[1] ?? "", endpoints(id, []));
    await removeOverlay(control.services, SYSTEM, { teamId, network: "web" });
    expect(await composed(hosts[0], id)).toEqual({});
  });

  describe("of a host that is not heard any more", () => {
    let id: string;
    const number = async (index: number): Promise<number> =>
      (await control.services.prisma.host.findUniqueOrThrow({ where: { id: hosts[index] ?? "" } })).number;
    /** The other two are heard, and say what they see of the second. */
    const pass = async (ms: number, states: readonly ("up" | "down" | "unknown")[] = []): Promise<string[]> => {
      nowMs += ms;
      for (const [at, index] of [0, 2].entries()) {
        const host = hosts[index] ?? "";
        await control.services.prisma.host.update({ where: { id: host }, data: { lastSeenAt: new Date(nowMs) } });
        const seen = { rttP50Micros: null, rttLastMicros: null, lossPerMille: 0, pathMtuBytes: null };
        const state = states[at];
        const peers = state === undefined ? [] : [{ number: await number(1), state, ...seen }];
        await report(host, makeResource("peers", { linkMtuBytes: 1500, peers }));
      }
      return judgeHosts(control.services);
    };
    const members = async (): Promise<number> => ((await composed(hosts[0], id))["members"] as unknown[]).length;
    /** Nobody is connected to this control plane: what is known of them is up to twenty seconds old. */
    const STEP_MS = 31_000;

    beforeEach(async () => {
      id = (await create("web")).id;
      await report(hosts[1] ?? "", endpoints(id, ["10.64.0.33"]));
      expect(await members()).toBe(1);
    });

    test("stay while peers reach it, and leave when most do not", async () => {
      expect(await pass(STEP_MS, ["up", "up"])).toEqual([]);
      expect(await pass(60_000, ["up", "up"])).toEqual([]);
      expect(await members()).toBe(1);
      expect(await pass(1_000, ["down", "down"])).toEqual([hosts[1]]);
      expect(await composed(hosts[0], id)).toMatchObject({
        members: [],
        dead: [],
        down: [{ addresses: ["10.64.0.33"] }],
        hosts: { length: 3 },
      });
      expect(await pass(1_000, ["down", "down"])).toEqual([]);
    });

    test("leave after a minute when peers cannot tell", async () => {
      expect(await pass(STEP_MS, ["up", "down"])).toEqual([]);
      expect(await pass(STEP_MS, ["unknown"])).toEqual([hosts[1]]);
      expect(await members()).toBe(0);
    });

    test("come back with it, whatever peers say", async () => {
      expect(await pass(STEP_MS, ["down", "down"])).toEqual([hosts[1]]);
      await control.services.prisma.host.update({ where: { id: hosts[1] ?? "" }, data: { lastSeenAt: new Date(nowMs) } });
      expect(await pass(1_000, ["down", "down"])).toEqual([hosts[1]]);
      expect(await members()).toBe(1);
    });

    test("are not judged by what peers said that are away themselves", async () => {
      await pass(1_000, ["down", "down"]);
      nowMs += STEP_MS;
      expect(await judgeHosts(control.services)).toEqual([]);
      nowMs += STEP_MS;
      expect((await judgeHosts(control.services)).length).toBe(3);
    });
  });
});

test("two control planes that compose at once tell one generation", async () => {
  await create("web");
  const states = await Promise.all(Array.from({ length: 8 }, () => composeHostState(control.services, hosts[0] ?? "")));
  expect(new Set(states.map(({ generation, hash }) => `${generation} ${hash}`)).size).toBe(1);
});
