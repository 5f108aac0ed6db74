import type { Attempt, ListenFacts, ReachFacts } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { explainReach, REACH_HOPS, type ReachEvidence, type ReachTarget } from "./explain-reach.ts";

const did = (outcome: Attempt["outcome"], errno = ""): Attempt => ({ outcome, errno, ms: 0.404 });
const REMOTE: NonNullable<ReachFacts["remote"]> = {
  host: 2,
  state: "up",
  rttMicros: 412,
  pathMtuBytes: 1500,
  needsBytes: 1500,
  router: { address: "10.64.0.32", attempt: did("refused") },
};
/** A on h1 to B on h2, over an overlay, by name: all is well unless changed. */
const facts = (change: Partial<ReachFacts> = {}): ReachFacts => ({
  name: { outcome: "answered", addresses: ["10.64.0.33"] },
  address: "10.64.0.33",
  source: { address: "10.64.0.17", network: { id: "n", name: "web", driver: "overlay" } },
  router: { address: "10.64.0.1", attempt: did("refused") },
  service: null,
  remote: REMOTE,
  policy: "open",
  port: did("open"),
  ...change,
});
const LISTEN: ListenFacts = { hasAddress: true, listens: "here", fromRouter: did("open") };
const container = (change: Partial<Extract<ReachTarget, { kind: "container" }>> = {}): ReachTarget => ({
  kind: "container",
  name: "b",
  addresses: ["10.64.0.33"],
  others: [],
  isRunning: true,
  listen: LISTEN,
  ...change,
});
const explain = (change: Partial<ReachFacts> = {}, more: Partial<ReachEvidence> = {}) =>
  explainReach({ facts: facts(change), target: container(), port: 80, remoteHost: "h2", ...more });
/** `verdict hop code` */
const outcome = (change: Partial<ReachFacts> = {}, more: Partial<ReachEvidence> = {}): string => {
  const { verdict, failedHop, hops } = explain(change, more);
  const named = hops.find(({ hop }) => hop === (failedHop ?? "port"));
  return `${verdict} ${failedHop ?? "-"} ${named?.code ?? ""}`;
};
const bridge: Partial<ReachFacts> = {
  source: { address: "172.18.0.2", network: { id: "b", name: "app", driver: "bridge" } },
  remote: null,
};
const silent = { port: did("silent") };

test("all hops of a way that works, in order", () => {
  const { verdict, hops } = explain();
  expect(verdict).toBe("yes");
  expect(hops.map(({ hop }) => hop)).toEqual(REACH_HOPS);
  expect(hops.map(({ state }) => state)).toEqual(Array.from({ length: 9 }, () => "ok"));
  expect(hops.find(({ hop }) => hop === "underlay")?.values).toEqual({ host: "h2", ms: 0.41, pathMtuBytes: 1500 });
});

test("by address on one host, most hops are not on the way", () => {
  const { verdict, hops } = explain({ ...bridge, name: { outcome: "given", addresses: ["172.18.0.3"] } }, { target: { kind: "address" } });
  expect(verdict).toBe("yes");
  expect(hops.filter(({ state }) => state === "skipped").map(({ hop }) => hop)).toEqual(["network", "name", "underlay", "remoteRouter", "policy", "container"]); // prettier-ignore
});

describe("the hop that fails is named", () => {
  test.each<[string, Partial<ReachFacts>, Partial<ReachEvidence>, string]>([
    ["no network in common", silent, { target: container({ addresses: [], others: ["10.65.0.3"] }) }, "no network none"],
    ["a name that nobody has", { name: { outcome: "unknown", addresses: [] } }, {}, "no name unknown"],
    ["a resolver that is silent", { name: { outcome: "silent", addresses: [] } }, {}, "no name silent"],
    ["a name that is somebody else's", { name: { outcome: "answered", addresses: ["10.9.9.9"] } }, {}, "no name other"],
    ["no way out of A", { source: null, router: null, remote: null, port: did("unreachable", "ENETUNREACH") }, {}, "no interface noRoute"],
    ["A's router is silent", { ...silent, router: { address: "10.64.0.1", attempt: did("silent") } }, {}, "no router silent"],
    ["the other host is not reached", { ...silent, remote: { ...REMOTE, state: "down", router: { address: "x", attempt: did("silent") } } }, {}, "no underlay down"], // prettier-ignore
    ["only VXLAN does not get there", { ...silent, remote: { ...REMOTE, router: { address: "10.64.0.32", attempt: did("silent") } } }, {}, "no remoteRouter tunnelSilent"], // prettier-ignore
    ["a policy", { ...silent, policy: "closed" }, {}, "no policy closed"],
    ["B does not run", silent, { target: container({ isRunning: false, listen: null }) }, "no container notRunning"],
    ["B has another address now", silent, { target: container({ listen: { ...LISTEN, hasAddress: false } }) }, "no container otherAddress"],
    ["a service without backends", { port: did("refused"), remote: null, service: { id: "web", backends: 0 } }, { target: { kind: "address" } }, "no container noBackends"], // prettier-ignore
    ["nothing listens", { port: did("refused") }, { target: container({ listen: { ...LISTEN, listens: "nowhere" } }) }, "no port nowhere"],
    ["it listens on loopback alone", { port: did("refused") }, { target: container({ listen: { ...LISTEN, listens: "elsewhere" } }) }, "no port elsewhere"], // prettier-ignore
    ["refused, and B's side is not known", { port: did("refused") }, { target: { kind: "address" } }, "no port refused"],
    ["silence, while B answers its own router", silent, {}, "no port lostBetween"],
    ["silence", silent, { target: { kind: "address" } }, "no port silent"],
    ["no way, says some hop", { ...bridge, port: did("unreachable", "EHOSTUNREACH") }, { target: { kind: "address" } }, "no port unreachable"], // prettier-ignore
  ])("%s", (_what, change, more, expected) => expect(outcome(change, more)).toBe(expected));

  test("the first of several", () => {
    const change = { ...silent, policy: "closed", remote: { ...REMOTE, state: "down" } } as const;
    expect(outcome(change, { target: container({ listen: { ...LISTEN, listens: "nowhere" } }) })).toBe("no underlay down");
  });
});

test("without a common network its name is nobody's fault, and what is behind is not blamed", () => {
  const { hops } = explain(
    { ...silent, name: { outcome: "silent", addresses: [] } },
    { target: container({ addresses: [], others: ["10.65.0.3"] }) },
  );
  expect(hops.filter(({ hop }) => hop === "name" || hop === "port").map(({ state, code }) => `${state} ${code}`)).toEqual(["skipped noCommon", "failed noCommon"]); // prettier-ignore
});

describe("what does not count against it", () => {
  test("a router that is silent while the thing itself answers", () => {
    const change = { router: { address: "10.64.0.1", attempt: did("silent") }, remote: { ...REMOTE, router: { address: "10.64.0.32", attempt: did("silent") } } }; // prettier-ignore
    const { verdict, hops } = explain(change);
    expect(verdict).toBe("yes");
    expect(hops.filter(({ state }) => state === "unknown").map(({ hop }) => hop)).toEqual(["router", "remoteRouter"]);
  });

  test("a bridge's gateway that a firewall keeps silent", () =>
    expect(outcome({ ...bridge, ...silent, router: { address: "172.18.0.1", attempt: did("silent") } }, { target: { kind: "address" } })).toBe("no port silent")); // prettier-ignore

  test("a path that is too narrow for the largest packets: a warning", () => {
    const { verdict, hops } = explain({ remote: { ...REMOTE, pathMtuBytes: 1400 } });
    expect(verdict).toBe("yes");
    expect(hops.find(({ hop }) => hop === "underlay")).toMatchObject({ state: "warn", code: "narrow", values: { pathMtuBytes: 1400, needsBytes: 1500 } }); // prettier-ignore
  });

  test("the default bridge, which has no names: a warning", () => {
    const source = { address: "172.17.0.2", network: { id: "b", name: "bridge", driver: "bridge" } };
    const { verdict, hops } = explain({ ...bridge, source, name: { outcome: "silent", addresses: [] } });
    expect([verdict, hops.find(({ hop }) => hop === "name")]).toMatchObject(["yes", { state: "warn", code: "noResolver" }]);
  });

  test("hosts that were not probed long enough", () => expect(outcome({ remote: { ...REMOTE, state: "unknown" } })).toBe("yes - open"));

  test("B's host, that cannot be asked", () =>
    expect(outcome({}, { target: container({ isRunning: null, listen: null }) })).toBe("yes - open"));
});

describe("without a port", () => {
  const noPort = { port: null };
  test("a refusal is an answer", () => expect(outcome({ port: did("refused") }, { ...noPort, target: container({ listen: { ...LISTEN, listens: null } }) })).toBe("yes - answers")); // prettier-ignore
  test("silence is none", () => expect(outcome(silent, { ...noPort, target: { kind: "address" } })).toBe("no port silent"));
});

describe("a datagram", () => {
  const unsettled = { port: did("unsettled") };
  test("to who listens needs no answer", () => expect(outcome(unsettled)).toBe("yes - listens"));
  test("to nobody is lost", () =>
    expect(outcome(unsettled, { target: container({ listen: { ...LISTEN, listens: "nowhere" } }) })).toBe("no port nowhere"));
  test("to an address says nothing", () => expect(outcome(unsettled, { target: { kind: "address" } })).toBe("unsure - unsettled"));
});

test("no address at all: what is behind the name is not looked at", () => {
  const nothing = { name: { outcome: "unknown", addresses: [] }, address: null, source: null, router: null, remote: null, port: null } as const; // prettier-ignore
  const { verdict, failedHop, hops } = explain(
    { ...nothing, name: { outcome: "unknown", addresses: [] } },
    { target: { kind: "address" } },
  );
  expect([verdict, failedHop]).toEqual(["no", "name"]);
  expect(hops.filter(({ state }) => state === "skipped")).toHaveLength(8);
});
