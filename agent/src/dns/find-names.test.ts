import { expect, test } from "vitest";
import { findNames, parseReverseName } from "./find-names.ts";
import { indexState, type ResolverState } from "./resolver-state.ts";

const state: ResolverState = {
  version: 1,
  resolvConfPath: "/etc/resolv.conf",
  networks: [
    {
      id: "n1",
      name: "App",
      names: [
        { name: "web", addresses: ["10.1.0.2", "fd01::2"] },
        { name: "api", addresses: ["10.1.0.3"] },
        { name: "api", addresses: ["10.1.0.4"] },
        { name: "tasks.db", addresses: ["10.1.0.5"] },
      ],
      members: [
        { address: "10.1.0.2", name: "web" },
        { address: "fd01::2", name: "web" },
      ],
    },
    { id: "n2", name: "back", names: [{ name: "web", addresses: ["10.2.0.9"] }], members: [{ address: "10.2.0.9", name: "web" }] },
  ],
  containers: [
    {
      id: "c1",
      netnsPath: "/n/c1",
      networks: ["n1", "n2"],
      links: [{ name: "Alias", addresses: ["10.1.0.3"] }],
      servers: [],
      isForwarding: true,
    },
    { id: "c2", netnsPath: "/n/c2", networks: ["n2", "gone"], links: [], servers: [], isForwarding: false },
  ],
};
const views = indexState(state);
const find = (container: string, name: string, type = "A"): unknown => {
  const view = views.get(container);
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
  ["c1", "alias", "A", answer("10.1.0.3")],
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
