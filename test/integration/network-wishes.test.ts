import { CALLER_HEADER, NETWORK_REFUSAL, NETWORK_WISH, networkRequest, type Resource } from "@flotilla/protocol";
import { toFlotillaError, HTTP_STATUS } from "@flotilla/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { NetworkWishes } from "../../agent/src/overlay/network-wishes.ts";
import { realTimer } from "../../agent/src/state/timer.ts";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import {
  echoEngine,
  type EngineHandler,
  type LinkedAgent,
  type LinkedState,
  makeState,
  openLink,
  startLinkedAgent,
  until,
} from "../support/linked-agent.ts";

// Hosts that ask for networks: the agents' real half of the channel, a real link, a real Postgres.
type Wisher = { agent: LinkedAgent; state: LinkedState; wishes: NetworkWishes; close(): Promise<void> };

let control: TestControl;
let one: Wisher;
let two: Wisher;

const ask = (name: string) => networkRequest.parse({ name });
const LOCAL = { namespace: "default" };

async function startWisher(name: string, address: string): Promise<Wisher> {
  const state = makeState();
  const wishes = new NetworkWishes({ ...state, timer: realTimer, networkKind: "network" });
  state.desired.register("network", { apply: async () => [] });
  state.desired.register("registry-credentials", { apply: async () => [] });
  state.desired.register(NETWORK_REFUSAL, wishes);
  state.desired.start();
  state.observed.set("underlay", { address, mtuBytes: 1500, routes: [] });
  // The engine's door, as far as networks are made through it.
  const engine: EngineHandler = (stream, headers) => {
    if (headers[":path"]?.endsWith("/networks/create") !== true) return echoEngine(stream, headers);
    const ticket = headers[CALLER_HEADER];
    const caller = { ...LOCAL, ...(typeof ticket === "string" ? { ticket } : {}) };
    stream.resume();
    wishes.create(caller, ask("through-the-door")).then(
      (Id) => {
        stream.respond({ ":status": 201, "content-type": "application/json" });
        stream.end(JSON.stringify({ Id, Warning: "" }));
      },
      (error: unknown) => {
        const { code, message } = toFlotillaError(error);
        stream.respond({ ":status": HTTP_STATUS[code], "content-type": "application/json" });
        stream.end(JSON.stringify({ message }));
      },
    );
  };
  const agent = await startLinkedAgent(control, { name, state, engine });
  // A network is composed of the hosts whose underlay the control plane knows.
  await until(async () => (await control.services.prisma.hostObserved.count({ where: { key: "underlay", host: { name } } })) === 1);
  const close = async (): Promise<void> => {
    await agent.close();
    await state.desired.close();
  };
  return { agent, state, wishes, close };
}

const networksOf = ({ state }: Wisher): readonly Resource[] => state.desired.resources("network");

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  one = await startWisher("h1", "10.9.0.1");
  two = await startWisher("h2", "10.9.0.2");
});
afterEach(async () => {
  await control.services.prisma.overlayNetwork.deleteMany();
});
afterAll(async () => {
  await one.close();
  await two.close();
  await control.close();
});

describe("more addresses", () => {
  type Block = { host: number; cidr: string };
  const blocksOf = (wisher: Wisher): Block[] => {
    const body = networksOf(wisher)[0]?.body;
    return ((body?.["blocks"] ?? []) as Block[]).filter(({ host }) => host === body?.["self"]);
  };

  test("are one block more each time that a host has nothing left, however many ask; another host's are not touched", async () => {
    const networkId = await one.wishes.create(LOCAL, ask("growing"));
    await until(() => networksOf(two).length === 1);
    const before = blocksOf(two);
    expect(blocksOf(one).length).toBe(1);
    await Promise.all([one.wishes.grow(LOCAL, networkId), one.wishes.grow(LOCAL, networkId), one.wishes.grow(LOCAL, networkId)]);
    expect(blocksOf(one).length).toBe(2);
    await one.wishes.grow(LOCAL, networkId);
    expect(new Set(blocksOf(one).map(({ cidr }) => cidr)).size).toBe(3);
    expect(blocksOf(two)).toEqual(before);
  });

  test("are refused when the network has none, and when it is not the team's", async () => {
    const networkId = await one.wishes.create(LOCAL, networkRequest.parse({ name: "full", subnet: "10.77.0.0/26" }));
    const grow = async (): Promise<never> => {
      for (;;) await one.wishes.grow(LOCAL, networkId);
    };
    await expect(grow()).rejects.toMatchObject({
      code: "exhausted",
      message: "no block of addresses is left on network full (10.77.0.0/26)",
    });
    const rows = await control.services.prisma.auditRow.findMany({ where: { action: "network.change", outcome: "failed" } });
    expect(JSON.stringify(rows)).not.toContain("no block of addresses is left");
    await expect(one.wishes.grow(LOCAL, "cd".repeat(32))).rejects.toMatchObject({ code: "not_found" });
    await expect(one.wishes.grow({ namespace: "other" }, networkId)).rejects.toMatchObject({ code: "forbidden" });
  });

  test("come by themselves while what was given back rests", async () => {
    const networkId = await one.wishes.create(LOCAL, ask("resting"));
    one.state.observed.set(`network/${networkId}`, { mtuBytes: 1450, endpoints: [], resting: 14, problem: null });
    await until(() => blocksOf(one).length === 2);
  });
});

describe("an address that is in nobody's block", () => {
  const address = "10.64.7.7";
  const pinsOf = (wisher: Wisher): unknown => networksOf(wisher)[0]?.body["pins"];
  const endpoint = { id: "e", containerId: "c", containerName: "db", address, address6: null, macAddress: "", aliases: [] };
  /** As if it had been given a while ago. */
  const rest = () => control.services.prisma.overlayLease.updateMany({ where: { kind: "pin" }, data: { leasedAt: new Date(Date.now() - 120_000) } }); // prettier-ignore

  test("is the host's that wishes it, told to all, and asked for again it is its still", async () => {
    const networkId = await one.wishes.create(LOCAL, ask("fixed"));
    await one.wishes.pin(LOCAL, { networkId, address });
    await one.wishes.pin(LOCAL, { networkId, address });
    expect(pinsOf(one)).toMatchObject([{ address }]);
    await until(() => JSON.stringify(pinsOf(two)).includes(address));
    const audit = await control.services.prisma.auditRow.findMany({ where: { action: "network.change", objectId: networkId } });
    expect(JSON.stringify(audit)).toContain('"verb":"pin"');
  });

  test("moves to another host when nobody has it any more, and not a moment after it was given", async () => {
    const networkId = await one.wishes.create(LOCAL, ask("moving"));
    await until(() => networksOf(two).length === 1);
    const take = () => two.wishes.pin(LOCAL, { networkId, address });
    const refused = { code: "conflict", message: "Address already in use" };
    await one.wishes.pin(LOCAL, { networkId, address });
    await expect(take()).rejects.toMatchObject(refused);
    one.state.observed.set(`network/${networkId}`, { mtuBytes: 1450, endpoints: [endpoint], problem: null });
    await until(() => JSON.stringify(networksOf(two)).includes('"containerName":"db"'));
    await rest();
    await expect(take()).rejects.toMatchObject(refused);
    one.state.observed.remove(`network/${networkId}`);
    await until(() => JSON.stringify(networksOf(two)).includes('"members":[]'));
    await take();
    await until(() => JSON.stringify(pinsOf(one)) === JSON.stringify(pinsOf(two)));
  });

  test("goes when its host says that no container asks for it, and comes back when one does", async () => {
    const networkId = await one.wishes.create(LOCAL, ask("passing"));
    await one.wishes.pin(LOCAL, { networkId, address });
    await until(() => JSON.stringify(pinsOf(two)).includes(address));
    await rest();
    one.state.observed.set(`network/${networkId}`, { mtuBytes: 1450, endpoints: [], pins: [], problem: null });
    await until(() => JSON.stringify([pinsOf(one), pinsOf(two)]) === "[[],[]]");
    await one.wishes.pin(LOCAL, { networkId, address });
    await until(() => JSON.stringify(pinsOf(two)).includes(address));
  });

  test.each([
    ["of a block", "10.64.0.20", "conflict"],
    ["outside of the subnet", "10.99.0.1", "conflict"],
  ])("%s is refused", async (_what, wanted, code) => {
    const networkId = await one.wishes.create(LOCAL, ask("refused"));
    await expect(one.wishes.pin(LOCAL, { networkId, address: wanted })).rejects.toMatchObject({ code });
  });

  test("of a network that is not there is refused", async () => {
    await expect(one.wishes.pin(LOCAL, { networkId: "0".repeat(64), address })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a host that wishes a network", () => {
  test("has it when it is told so, and so has every other host", async () => {
    const id = await one.wishes.create(LOCAL, ask("web"));
    expect(networksOf(one)).toMatchObject([{ key: `network/${id}`, body: { name: "web", hosts: { length: 2 }, blocks: { length: 2 } } }]);
    await until(() => networksOf(two).length === 1);
    await one.wishes.remove(LOCAL, id);
    expect(networksOf(one)).toEqual([]);
    await until(() => networksOf(two).length === 0);
  });

  test("is refused in Docker's words, and may try again", async () => {
    const id = await one.wishes.create(LOCAL, ask("taken"));
    await expect(two.wishes.create(LOCAL, ask("taken"))).rejects.toMatchObject({
      code: "conflict",
      message: "network with name taken already exists",
    });
    // Refusals go with their wishes.
    await until(() => two.state.desired.resources(NETWORK_REFUSAL).length === 0);
    await two.wishes.remove(LOCAL, id);
    expect(await two.wishes.create(LOCAL, ask("taken"))).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is refused the removal of one that another host uses", async () => {
    const id = await one.wishes.create(LOCAL, ask("busy"));
    const endpoint = { id: "e", containerId: "c", containerName: "db", address: "10.64.0.33", address6: null, macAddress: "", aliases: [] };
    two.state.observed.set(`network/${id}`, { mtuBytes: 1450, endpoints: [endpoint], problem: null });
    await until(() => JSON.stringify(networksOf(one)).includes('"containerName":"db"'));
    await expect(one.wishes.remove(LOCAL, id)).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("has active endpoints (on h2)"),
    });
    two.state.observed.remove(`network/${id}`);
    await until(() => JSON.stringify(networksOf(one)).includes('"members":[]'));
    await one.wishes.remove(LOCAL, id);
  });

  test("for a namespace that is not its team's is refused", async () => {
    await expect(one.wishes.create({ namespace: "other" }, ask("web"))).rejects.toMatchObject({ code: "forbidden" });
  });

  test("that is not connected is told so at once", async () => {
    await one.agent.disconnect();
    await until(() => !one.state.observed.isRead);
    await expect(one.wishes.create(LOCAL, ask("web"))).rejects.toMatchObject({ code: "unavailable" });
    const link = openLink(one.agent.dataDir, echoEngine, one.state);
    await until(() => one.state.observed.isRead);
    await link.close();
  });
});

test("ten wishes for one name from two hosts are one network and nine refusals", async () => {
  const three = await startWisher("h3", "10.9.0.3");
  const attempts = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? two : three).wishes.create(LOCAL, ask("race")));
  const results = await Promise.allSettled(attempts);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await control.services.prisma.overlayNetwork.count()).toBe(1);
  const hostsOf = (): unknown => networksOf(two).at(-1)?.body["hosts"];
  await until(() => JSON.stringify(hostsOf()).includes("10.9.0.3"));
  await control.call("hosts.remove", { host: "h3" }, { kind: "mutation", token: ADMIN_TOKEN });
  // At once, and not with the next sweep.
  await until(() => !JSON.stringify(hostsOf()).includes("10.9.0.3"));
  await three.close();
});

test("a wish that is reported again after everything was done changes nothing", async () => {
  const id = "d".repeat(64);
  const wish = { verb: "create", nonce: "nonce-nonce", namespace: "default", request: ask("again") };
  two.state.observed.set(`${NETWORK_WISH}/${id}`, wish);
  await until(() => networksOf(two).some(({ key }) => key === `network/${id}`));
  await two.agent.disconnect();
  const link = openLink(two.agent.dataDir, echoEngine, two.state);
  await until(() => two.state.observed.isRead);
  await until(async () => (await control.services.prisma.auditRow.count({ where: { objectId: id } })) === 1);
  two.state.observed.set(`${NETWORK_WISH}/${id}`, { verb: "remove", nonce: "other-nonce", namespace: "default" });
  await until(() => networksOf(two).length === 0);
  two.state.observed.remove(`${NETWORK_WISH}/${id}`);
  await link.close();
  const audit = await control.services.prisma.auditRow.findMany({ where: { objectId: id }, orderBy: { id: "asc" } });
  expect(audit.map(({ action, actorKind, actorName }) => [action, actorKind, actorName])).toEqual([
    ["network.change", "host", "h2"],
    ["network.remove", "host", "h2"],
  ]);
});

test("what is not understood is refused with a reason, once", async () => {
  const four = await startWisher("h4", "10.9.0.4");
  const id = "e".repeat(64);
  four.state.observed.set(`${NETWORK_WISH}/${id}`, { verb: "paint", nonce: "nonce-nonce" });
  await until(() => four.state.desired.resources(NETWORK_REFUSAL).length === 1);
  expect(four.state.desired.resources(NETWORK_REFUSAL)[0]?.body).toMatchObject({ code: "invalid", nonce: "nonce-nonce" });
  await four.close();
});

test("through the control plane's door the audit names the caller, not the host", async () => {
  const five = await startWisher("h5", "10.9.0.5");
  const response = await fetch(`${control.url}/docker/h5/v1.47/networks/create`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json", [CALLER_HEADER]: "made-up" },
    body: JSON.stringify({ Name: "through-the-door", Driver: "overlay" }),
  });
  const { Id } = (await response.json()) as { Id: string };
  expect(response.status).toBe(201);
  const audit = await control.services.prisma.auditRow.findMany({ where: { objectId: Id } });
  expect(audit.map(({ actorKind, actorName }) => [actorKind, actorName])).toEqual([["token", ADMIN.email]]);
  await five.close();
});
