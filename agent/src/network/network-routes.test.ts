import { Readable } from "node:stream";
import { silentLogger } from "@flotilla/core";
import { beforeEach, describe, expect, test } from "vitest";
import type { Call, Reply } from "../api/call.ts";
import { EventBus } from "../events/bus.ts";
import { FakeNetworkKernel } from "../host/fake-network-kernel.ts";
import { Database } from "../store/database.ts";
import { createNetworkManager, type Networks } from "./network-manager.ts";
import { networkRoutes, type NetworkConnector } from "./network-routes.ts";

const config = {
  dataDir: "/d",
  runDir: "/r",
  socketPath: "/r/engine.sock",
  instance: "1a2b3c4d",
  logLevel: "info",
  compileCacheDir: "/c",
} as const;

const resolvConf = () => ({ nameservers: [], searches: [], options: [] });

let networks: Networks;

beforeEach(async () => {
  const deps = {
    config,
    db: new Database(":memory:"),
    events: new EventBus(),
    logger: silentLogger,
    kernel: new FakeNetworkKernel(),
    resolvConf,
    resolver: { apply: async () => undefined, close: async () => undefined },
  };
  networks = createNetworkManager(deps);
  await networks.attach({
    namespace: "default",
    containerId: "c1",
    hostname: "h1",
    containerName: "web",
    endpoints: [{ networkName: "bridge", aliases: [] }],
    ports: [],
  });
  return () => networks.close();
});

type Request = { id?: string; filters?: unknown; query?: string; body?: unknown; connector?: NetworkConnector };

async function send(method: string, path: string, request: Request = {}): Promise<Reply> {
  const routes = networkRoutes({ networks, ...(request.connector === undefined ? {} : { connector: request.connector }) });
  const route = routes.find((candidate) => candidate.path === path && candidate.method === method);
  if (route === undefined) throw new Error(`no route ${method} ${path}`);
  const query = new URLSearchParams(request.query);
  if (request.filters !== undefined) query.set("filters", JSON.stringify(request.filters));
  const call: Call = {
    namespace: "default",
    isExempt: true,
    version: [1, 47],
    method,
    params: { id: request.id ?? "" },
    query,
    header: () => undefined,
    body: Readable.from([]),
    json: async (schema) => schema.parse(request.body ?? {}),
    signal: AbortSignal.timeout(60_000),
  };
  return route.handler(call);
}

const bodyOf = (reply: Reply): unknown => (reply.kind === "json" ? reply.body : reply);
const namesOf = (reply: Reply): string[] => (bodyOf(reply) as { Name: string }[]).map(({ Name }) => Name);

describe("list", () => {
  test.each([
    [undefined, ["bridge", "host", "none", "web"]],
    [{ name: ["o"] }, ["host", "none"]],
    [{ driver: ["null"] }, ["none"]],
    [{ type: { custom: true } }, ["web"]],
    [{ type: ["builtin"] }, ["bridge", "host", "none"]],
    [{ dangling: ["true"] }, ["web"]],
    [{ label: ["tier=front"] }, ["web"]],
    [{ scope: ["swarm"] }, []],
  ])("filters %j", async (filters, expected) => {
    await send("POST", "/networks/create", { body: { Name: "web", Labels: { tier: "front" } } });
    expect(namesOf(await send("GET", "/networks", { filters }))).toEqual(expected);
  });
});

test("inspect shows the subnet and the containers with names and addresses", async () => {
  expect(bodyOf(await send("GET", "/networks/:id", { id: "bridge" }))).toMatchObject({
    Name: "bridge",
    Driver: "bridge",
    Scope: "local",
    IPAM: { Driver: "default", Config: [{ Subnet: "172.17.0.0/16", Gateway: "172.17.0.1" }] },
    Containers: { c1: { Name: "web", IPv4Address: "172.17.0.2/16", MacAddress: "02:42:ac:11:00:02", IPv6Address: "" } },
    Options: { "com.docker.network.bridge.name": "fl1a2b3c-1" },
  });
  expect(bodyOf(await send("GET", "/networks/:id", { id: "host" }))).toMatchObject({
    Driver: "host",
    IPAM: { Config: [] },
    Containers: {},
  });
  await expect(send("GET", "/networks/:id", { id: "nope" })).rejects.toMatchObject({
    code: "not_found",
    message: "network nope not found",
  });
});

describe("create", () => {
  test("takes subnet, gateway, range, labels and kind", async () => {
    const body = {
      Name: "web",
      Driver: "bridge",
      Internal: true,
      IPAM: { Driver: "default", Config: [{ Subnet: "10.7.0.0/16", Gateway: "10.7.0.254", IPRange: "10.7.9.0/24" }] },
      Labels: { a: "1" },
      CheckDuplicate: true,
      EnableIPv6: null,
    };
    const reply = await send("POST", "/networks/create", { body });
    expect(reply).toMatchObject({ status: 201, body: { Id: expect.stringMatching(/^[0-9a-f]{64}$/), Warning: "" } });
    expect(bodyOf(await send("GET", "/networks/:id", { id: "web" }))).toMatchObject({
      Internal: true,
      Labels: { a: "1" },
      IPAM: { Config: [{ Subnet: "10.7.0.0/16", Gateway: "10.7.0.254", IPRange: "10.7.9.0/24" }] },
    });
  });

  test("takes an IPv6 subnet beside the IPv4 one that the engine chooses", async () => {
    const body = { Name: "six", EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00::/64", Gateway: "fd00::9" }] } };
    await send("POST", "/networks/create", { body });
    expect(bodyOf(await send("GET", "/networks/:id", { id: "six" }))).toMatchObject({
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: expect.stringMatching(/^172/) }, { Subnet: "fd00::/64", Gateway: "fd00::9" }] },
    });
  });

  test("IPv6 with a range and addresses of others", async () => {
    const config = { Subnet: "fd00:7::/64", IPRange: "fd00:7::/80", Gateway: "fd00:7::1", AuxiliaryAddresses: { printer: "fd00:7::9" } };
    await send("POST", "/networks/create", { body: { Name: "ranged", EnableIPv6: true, IPAM: { Config: [config] } } });
    expect(bodyOf(await send("GET", "/networks/:id", { id: "ranged" }))).toMatchObject({ IPAM: { Config: [{}, config] } });
  });

  test.each([
    [{ IPAM: { Config: [{ Subnet: "fd00::/64", IPRange: "fd01::/80" }] } }, "does not contain it"],
    [{ IPAM: { Config: [{ Subnet: "fd00::/64", AuxiliaryAddresses: { a: "fd01::1" } }] } }, "no matching subnet for aux-address"],
    [{ EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00::/64" }, { Subnet: "fd01::/64" }] } }, "multiple subnets"],
    [{ Ingress: true }, "not supported"],
    [{ IPAM: { Config: [{ Subnet: "10.1.0.0/16" }, { Subnet: "10.2.0.0/16" }] } }, "multiple subnets"],
  ])("refuses %j", async (change, message) => {
    await expect(send("POST", "/networks/create", { body: { Name: "web", ...change } })).rejects.toThrow(message);
  });
});

test("prune takes unused networks that users made", async () => {
  for (const Name of ["used", "idle", "kept"]) {
    await send("POST", "/networks/create", { body: { Name, Labels: Name === "kept" ? { keep: "" } : {} } });
  }
  await networks.connect("c1", { networkName: "used", aliases: [] });
  expect(bodyOf(await send("POST", "/networks/prune", { filters: { "label!": ["keep"] } }))).toEqual({ NetworksDeleted: ["idle"] });
});

describe("connect and disconnect", () => {
  test("are refused without an engine that remembers them", async () => {
    for (const path of ["/networks/:id/connect", "/networks/:id/disconnect"]) {
      await expect(send("POST", path, { id: "bridge", body: { Container: "web" } })).rejects.toMatchObject({ code: "not_implemented" });
    }
  });

  test("hand the engine what was asked for", async () => {
    const asked: unknown[] = [];
    const connector: NetworkConnector = {
      connect: async (...request) => void asked.push(request),
      disconnect: async (...request) => void asked.push(request),
    };
    const body = { Container: "web", EndpointConfig: { Aliases: ["db"], IPAMConfig: { IPv4Address: "10.7.0.9" } } };
    await send("POST", "/networks/:id/connect", { id: "bridge", body, connector });
    await send("POST", "/networks/:id/disconnect", { id: "bridge", body: { Container: "web", Force: true }, connector });
    expect(asked).toEqual([
      ["default", "web", { networkName: "bridge", aliases: ["db"], links: [], ipv4Address: "10.7.0.9" }],
      ["default", "web", { networkName: "bridge", force: true }],
    ]);
  });
});

test("a predefined network is not removed", async () => {
  await expect(send("DELETE", "/networks/:id", { id: "bridge" })).rejects.toMatchObject({
    code: "forbidden",
    message: "bridge is a pre-defined network and cannot be removed",
  });
});
