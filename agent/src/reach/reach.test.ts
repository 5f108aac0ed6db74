import { FlotillaError } from "@flotilla/core";
import type { Attempt, NetworkService, ReachFacts, ReachQuestion } from "@flotilla/protocol";
import { sampleService } from "@flotilla/protocol/sample-network";
import { beforeEach, describe, expect, test } from "vitest";
import type { PortTarget } from "../host/try-port.ts";
import { sampleState } from "../overlay/fixture.ts";
import { Reach, type ReachDeps } from "./reach.ts";
import type { ReachNetwork } from "./reach-plan.ts";

const A_NETNS = "/proc/42/ns/net";
const ROUTER = "/r/overlay/4097";
const overlay = (change: Parameters<typeof sampleState>[0] = {}, services: readonly NetworkService[] = []): ReachNetwork => ({
  id: "n",
  name: "net",
  driver: "overlay",
  address: "10.30.1.18",
  address6: "fd30:1::a1e:112",
  gateway: "10.30.1.1",
  overlay: { state: sampleState(change), services, mtuBytes: 1450, routerPath: ROUTER },
});
const bridge: ReachNetwork = { id: "b", name: "bridge", driver: "bridge", address: "172.17.0.2", address6: "", gateway: "172.17.0.1", overlay: undefined }; // prettier-ignore

let tried: string[];
let networks: ReachNetwork[];
let outcomes: Record<string, Attempt["outcome"]>;
let resolved: ReachFacts["name"];
let pid: number;

const reach = (): Reach => {
  const deps: ReachDeps = {
    getContainer: (_namespace, ref) => {
      if (ref !== "a") throw new FlotillaError("not_found", `No such container: ${ref}`);
      return { id: "a".repeat(64), name: "a", pid };
    },
    networksOf: () => networks,
    peers: () => [{ number: 2, state: "up", rttP50Micros: 400, rttLastMicros: 500, lossPerMille: 0, pathMtuBytes: 1500 }],
    resolve: async () => resolved,
    findSource: async ({ address }) => {
      if (address.startsWith("10.30.")) return "10.30.1.18";
      return address.startsWith("fd30:") ? "fd30:1::a1e:112" : undefined;
    },
    tryPort: async (protocol, { netnsPath, address, port }: PortTarget) => {
      tried.push(`${protocol} ${netnsPath === A_NETNS ? "a" : (netnsPath ?? "host")} ${address} ${port}`);
      return { outcome: outcomes[address] ?? "refused", ms: 1, errno: "" };
    },
    readSockets: () => ["  0: 11011E0A:0050 00000000:0000 0A 0", "   0: 12011E0A:0050 00000000:0000 0A 00000000:00000000 00:0 0"],
  };
  return new Reach(deps);
};
const ask = (target: string, more: Partial<ReachQuestion> = {}): Promise<ReachFacts> =>
  reach().from("default", "a", { target, port: 80, protocol: "tcp", ...more });

beforeEach(() => {
  tried = [];
  networks = [overlay(), bridge];
  outcomes = {};
  resolved = { outcome: "answered", addresses: ["10.30.1.34"] };
  pid = 42;
});

test("from A to an address on another host: A's router, the other host's router from A's, and the thing itself", async () => {
  outcomes = { "10.30.1.34": "open" };
  expect(await ask("10.30.1.34")).toMatchObject({
    name: { outcome: "given" },
    address: "10.30.1.34",
    source: { address: "10.30.1.18", network: { name: "net", driver: "overlay" } },
    router: { address: "10.30.1.1", attempt: { outcome: "refused" } },
    remote: { host: 2, state: "up", pathMtuBytes: 1500, needsBytes: 1500, router: { address: "10.30.1.32" } },
    policy: "open",
    port: { outcome: "open" },
  });
  expect(tried.toSorted()).toEqual([`tcp ${ROUTER} 10.30.1.32 9`, "tcp a 10.30.1.1 9", "tcp a 10.30.1.34 80"]);
});

test("a name is what A's own resolver says", async () => {
  expect(await ask("web")).toMatchObject({ name: { outcome: "answered" }, address: "10.30.1.34" });
  resolved = { outcome: "unknown", addresses: [] };
  tried = [];
  expect(await ask("nobody")).toMatchObject({ address: null, source: null, port: null });
  expect(tried).toEqual([]);
});

test("without a port a closed one is asked, by TCP", async () => {
  await ask("10.30.1.34", { port: null, protocol: "udp" });
  expect(tried).toContain("tcp a 10.30.1.34 9");
});

test("an address on this host has no other host on its way, and one that A has no way to is tried all the same", async () => {
  expect((await ask("10.30.1.20")).remote).toBeNull();
  expect(await ask("192.0.2.1")).toMatchObject({ source: null, router: null, remote: null, port: { outcome: "refused" } });
});

test("IPv6 is of the same host", async () => expect((await ask("fd30:1::a1e:122")).remote).toMatchObject({ host: 2 }));

test("a service is told with the backends that it takes new connections to", async () => {
  const backends = ["10.30.1.18", "10.30.1.34", "10.30.1.50"].map((address, index) => ({ address, weight: index }));
  networks = [overlay({}, [sampleService({ backends })])];
  expect(await ask("10.30.1.2")).toMatchObject({ service: { id: "web", backends: 2 }, remote: null });
});

describe("a policy", () => {
  const rule = { from: "10.30.1.18", to: "10.30.1.34", protocol: "tcp", port: 80 } as const;
  test.each([
    ["nothing", [], "closed"],
    ["this very way", [rule], "open"],
    ["another port", [{ ...rule, port: 81 }], "closed"],
    ["another protocol", [{ ...rule, protocol: "udp" as const }], "closed"],
    ["another caller", [{ ...rule, from: "10.30.1.19" }], "closed"],
  ])("that allows %s", async (_what, allow, expected) => {
    networks = [overlay({ isolated: ["10.30.1.34"], allow })];
    expect((await ask("10.30.1.34")).policy).toBe(expected);
  });
});

describe("at B itself", () => {
  const at = (address: string, port: number | null = 80) => reach().at("default", "a", { address, port, protocol: "tcp" });
  test("what listens, and whether its own router gets there", async () => {
    outcomes = { "10.30.1.18": "open" };
    expect(await at("10.30.1.18")).toMatchObject({ hasAddress: true, listens: "here", fromRouter: { outcome: "open" } });
    expect(tried).toEqual([`tcp ${ROUTER} 10.30.1.18 80`]);
  });
  test("an address that it has not", async () => expect(await at("10.30.1.99")).toMatchObject({ hasAddress: false, fromRouter: null }));
  test("on a bridge there is no router to ask", async () => expect(await at("172.17.0.2", null)).toEqual({ hasAddress: true, listens: null, fromRouter: null })); // prettier-ignore
});

test.each([
  ["a", 0, "container a is not running"],
  ["b", 42, "No such container: b"],
] as const)("container %s with process %i: %s", async (ref, ofPid, message) => {
  // prettier-ignore
  pid = ofPid;
  await expect(reach().from("default", ref, { target: "10.30.1.34", port: 80, protocol: "tcp" })).rejects.toThrow(message);
  await expect(reach().at("default", ref, { address: "10.30.1.34", port: 80, protocol: "tcp" })).rejects.toThrow(message);
});
