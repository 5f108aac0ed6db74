import { expect, test } from "vitest";
import { findNames, parseReverseName } from "./find-names.ts";
import { type Keyed, planNetworkRecord } from "./plan-resolver-state.ts";
import { ResolverIndex } from "./resolver-index.ts";
import { containerKey, type ContainerRecord, namesKey, networkKey, RANK } from "./resolver-state.ts";

const names = (network: string, owner: string, entries: Record<string, string[]>, members: Record<string, string> = {}): Keyed => [
  namesKey(network, owner),
  {
    kind: "names",
    network,
    rank: RANK.reached,
    names: Object.entries(entries).map(([name, addresses]) => ({ name, addresses })),
    members: Object.entries(members).map(([address, name]) => ({ address, name })),
  },
];
const container = (id: string, change: Partial<ContainerRecord>): Keyed => [
  containerKey(id),
  { kind: "container", id, netnsPath: `/n/${id}`, networks: [], links: [], servers: [], isForwarding: true, ...change },
];
const web = names("n1", "c web", { web: ["10.1.0.2", "fd01::2"], "tasks.db": ["10.1.0.5"] }, { "10.1.0.2": "web", "fd01::2": "web" });
const records: Keyed[] = [
  planNetworkRecord({ id: "n1", name: "App" }),
  web,
  names("n1", "c one", { api: ["10.1.0.3"] }),
  names("n1", "c two", { Api: ["10.1.0.4"] }),
  planNetworkRecord({ id: "n2", name: "back" }),
  names("n2", "c web", { web: ["10.2.0.9"] }, { "10.2.0.9": "web" }),
  container("c1", {
    networks: ["n1", "n2"],
    links: [
      { alias: "Alias", network: "n1", target: "API" },
      { alias: "gone", network: "n1", target: "gone" },
    ],
  }),
  container("c2", { networks: ["n2", "gone"], isForwarding: false }),
];
const index = new ResolverIndex();
index.apply({ remove: [], put: records });
const find = (container: string, name: string, type = "A"): unknown => {
  const view = index.view(container);
  return view === undefined ? undefined : findNames(view, { name, type });
};
const answer = (...data: string[]): unknown => ({ kind: "answer", data });
const ELSEWHERE = { kind: "elsewhere" };

test.each([
  ["c1", "web", "A", answer("10.1.0.2")],
  ["c1", "WEB.", "A", answer("10.1.0.2")],
  ["c1", "web", "AAAA", answer("fd01::2")],
  ["c1", "api", "A", answer("10.1.0.3", "10.1.0.4")],
  ["c1", "api", "AAAA", answer()],
  ["c1", "web", "MX", answer()],
  ["c1", "web.back", "A", answer("10.2.0.9")],
  ["c1", "web.app", "A", answer("10.1.0.2")],
  ["c1", "tasks.db", "A", answer("10.1.0.5")],
  ["c1", "alias", "A", answer("10.1.0.3", "10.1.0.4")],
  ["c1", "gone", "A", ELSEWHERE],
  ["c2", "alias", "A", ELSEWHERE],
  ["c2", "web", "A", answer("10.2.0.9")],
  ["c2", "api", "A", ELSEWHERE],
  ["c2", "web.app", "A", ELSEWHERE],
  ["c1", "example.org", "A", ELSEWHERE],
  ["c1", "", "NS", ELSEWHERE],
  ["c1", "2.0.1.10.in-addr.arpa", "PTR", answer("web.app")],
  ["c2", "2.0.1.10.in-addr.arpa", "PTR", ELSEWHERE],
  ["c1", "9.0.2.10.in-addr.arpa", "PTR", answer("web.back")],
  ["c1", "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.d.f.ip6.arpa", "PTR", answer("web.app")],
  ["c1", "web", "PTR", ELSEWHERE],
])("%s asks for %s %s", (container, name, type, expected) => {
  expect(find(container, name, type)).toEqual(expected);
});

test.each(["1.2.3.in-addr.arpa", "1.2.3.4.5.in-addr.arpa", "x.2.3.4.in-addr.arpa", "1.0.ip6.arpa", "in-addr.arpa", ""])(
  "%j is no address",
  (name) => {
    expect(parseReverseName(name)).toBeUndefined();
  },
);

test("each step changes what it names", () => {
  const own = new ResolverIndex();
  own.apply({ remove: [], put: records });
  const ask = (name: string, type = "A"): unknown => {
    const view = own.view("c1");
    return view === undefined ? "no resolver" : findNames(view, { name, type });
  };
  own.apply({ remove: [namesKey("n1", "c one")], put: [names("n1", "c web", { shop: ["10.1.0.2"] })] });
  expect([ask("api"), ask("shop"), ask("web"), ask("2.0.1.10.in-addr.arpa", "PTR")]).toEqual([
    answer("10.1.0.4"),
    answer("10.1.0.2"),
    answer("10.2.0.9"),
    ELSEWHERE,
  ]);
  // A network takes its names with it, and comes back without them.
  own.apply({ remove: [networkKey("n1"), namesKey("never", "c x")], put: [] });
  expect([ask("shop"), ask("alias"), ask("web")]).toEqual([ELSEWHERE, ELSEWHERE, answer("10.2.0.9")]);
  own.apply({ remove: [], put: [planNetworkRecord({ id: "n1", name: "again" }), web] });
  expect([ask("web"), ask("web.again"), ask("shop")]).toEqual([answer("10.1.0.2"), answer("10.1.0.2"), ELSEWHERE]);
  own.apply({ remove: [containerKey("c1")], put: [] });
  expect([ask("web"), own.has("c1"), [...own.containers()].map(({ id }) => id)]).toEqual(["no resolver", false, ["c2"]]);
});
