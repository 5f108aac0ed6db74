import { sampleService } from "@flotilla/protocol/sample-network";
import { expect, test } from "vitest";
import {
  type Keyed,
  type NamedContainer,
  parseLink,
  planContainer,
  planLocalNames,
  planMemberNames,
  planNetworkRecord,
  planServiceNames,
  serviceNamesKey,
} from "./plan-resolver-state.ts";
import { ResolverIndex } from "./resolver-index.ts";

const ID = "0123456789abcdef";
const container = (name: string, change: Partial<NamedContainer> = {}): NamedContainer => ({
  id: `${name}-${ID}`,
  name,
  hostname: `${name}-host`,
  netnsPath: `/n/${name}`,
  servers: [],
  endpoints: [endpoint("n1", "10.1.0.2")],
  ...change,
});
const endpoint = (networkId: string, address: string, change: { aliases?: string[]; links?: string[] } = {}) => ({
  networkId,
  addresses: [address],
  aliases: [],
  links: [],
  ...change,
});
const facts = { hasNames: (id: string) => id !== "bridge", isInternal: (id: string) => id.startsWith("inner") };
const namesOf = ([, record]: Keyed): Record<string, string[]> =>
  record.kind === "names" ? Object.fromEntries(record.names.map(({ name, addresses }) => [name, addresses])) : {};

/** What somebody on network n1 finds. */
function lookUp(records: readonly Keyed[]): (name: string) => readonly string[] | undefined {
  const index = new ResolverIndex();
  const seeker = planContainer(container("seeker"), facts);
  index.apply({ remove: [], put: [planNetworkRecord({ id: "n1", name: "app" }), ...records, ...(seeker === undefined ? [] : [seeker])] });
  return (name) => index.view(`seeker-${ID}`)?.networks[0]?.addresses(name);
}

test("a container is found by name, aliases, short id and hostname", () => {
  const record = planLocalNames(container("web"), endpoint("n1", "10.1.0.2", { aliases: ["www", "web"] }));
  expect(Object.keys(namesOf(record))).toEqual(["web", "www", "web-01234567", "web-host"]);
  expect(record).toMatchObject([`names n1 c web-${ID}`, { members: [{ address: "10.1.0.2", name: "web" }] }]);
});

test("who is only on networks without names needs no resolver", () => {
  expect(planContainer(container("web", { endpoints: [endpoint("bridge", "172.17.0.2")] }), facts)).toBeUndefined();
});

test("networks are searched in the order of the interfaces, and only internal ones keep from asking outside", () => {
  const containers = [
    container("both", { endpoints: [endpoint("n2", "10.2.0.2"), endpoint("inner", "10.1.0.2")] }),
    container("inner", { endpoints: [endpoint("inner", "10.1.0.3")] }),
    container("beside", { endpoints: [endpoint("inner", "10.1.0.4"), endpoint("bridge", "172.17.0.2")] }),
  ];
  expect(containers.map((each) => planContainer(each, facts)?.[1])).toMatchObject([
    { networks: ["n2", "inner"], isForwarding: true },
    { networks: ["inner"], isForwarding: false },
    { networks: ["inner"], isForwarding: true },
  ]);
});

test("a link is a name for one container, of whoever has the target's name", () => {
  const web = container("web", { endpoints: [endpoint("n1", "10.1.0.3", { links: ["db:store", "db"] }), endpoint("bridge", "172.17.0.2", { links: ["x:y"] })] }); // prettier-ignore
  expect(planContainer(web, facts)?.[1]).toMatchObject({
    links: [
      { network: "n1", target: "db", alias: "store" },
      { network: "n1", target: "db", alias: "db" },
    ],
  });
  expect(parseLink("db:store")).toEqual({ target: "db", alias: "store" });
});

const member = (host: number, containerName: string, address: string) =>
  ({ host, containerId: `${containerName}${"0".repeat(12)}`, containerName, aliases: ["shop"], address, address6: null }) as const;

test("members of other hosts and services are names too; a service's name is its virtual address", () => {
  const far = { ...member(2, "far", "10.1.0.40"), aliases: ["shop"], address6: "fd01::40" };
  const service = sampleService({ id: "s1", networkId: "n1", names: ["shop", "app_shop"], addresses: ["10.1.0.200"], backends: [{ address: "10.1.0.40", weight: 1 }, { address: "10.1.0.41", weight: 0 }] }); // prettier-ignore
  const plain = planServiceNames({ ...service, id: "s2", names: ["plain"], addresses: [] });
  const find = lookUp([planMemberNames("n1", { ...far, aliases: ["shop"] }, true), planServiceNames(service), plain]);
  expect(find("far")).toEqual(["10.1.0.40", "fd01::40"]);
  expect(find("far000000000")).toEqual(["10.1.0.40", "fd01::40"]);
  expect(find("shop")).toEqual(["10.1.0.200"]);
  expect(find("app_shop")).toEqual(["10.1.0.200"]);
  expect(find("tasks.shop")).toEqual(["10.1.0.40"]);
  expect(find("plain")).toEqual(["10.1.0.40"]);
  expect(plain[0]).toBe(serviceNamesKey("n1", "s2"));
});

test("what is out of reach has no name, unless nobody else has it", () => {
  const near = planLocalNames(container("near"), endpoint("n1", "10.1.0.2", { aliases: ["cart"] }));
  const two = planMemberNames("n1", { ...member(2, "two", "10.1.0.40"), aliases: ["shop"] }, false);
  const three = planMemberNames("n1", { ...member(3, "three", "10.1.0.50"), aliases: ["shop"] }, true);
  const cart = planMemberNames("n1", { ...member(2, "Cart", "10.1.0.41"), aliases: ["shop"] }, false);
  const find = lookUp([near, two, three, cart]);
  expect([find("shop"), find("cart"), find("two")]).toEqual([["10.1.0.50"], ["10.1.0.2"], ["10.1.0.40"]]);
  const away = lookUp([near, two, planMemberNames("n1", { ...member(3, "three", "10.1.0.50"), aliases: ["shop"] }, false), cart]);
  expect(away("shop")).toEqual(["10.1.0.40", "10.1.0.50", "10.1.0.41"]);
});

test("a name that no question can carry is left out and keeps nobody else from theirs", () => {
  const long = "x".repeat(255);
  expect(Object.keys(namesOf(planServiceNames(sampleService({ names: [long, "web"] }))))).toEqual([long, "web", "tasks.web"]);
  expect(Object.keys(namesOf(planLocalNames({ id: ID, name: "", hostname: `${long}x` }, endpoint("n1", "10.1.0.2"))))).toEqual([ID.slice(0, 12)]); // prettier-ignore
});
