import { sampleService } from "@flotilla/protocol/sample-network";
import { expect, test } from "vitest";
import { type NamedContainer, type NamedNetwork, parseLink, planResolverState } from "./plan-resolver-state.ts";

const network = (id: string, change: Partial<NamedNetwork> = {}): NamedNetwork => ({
  id,
  name: `net-${id}`,
  hasNames: true,
  isInternal: false,
  members: [],
  services: [],
  ...change,
});
const ID = "0123456789abcdef";
const container = (name: string, change: Partial<NamedContainer> = {}): NamedContainer => ({
  id: `${name}-${ID}`,
  name,
  hostname: `${name}-host`,
  netnsPath: `/n/${name}`,
  servers: [],
  endpoints: [{ networkId: "n1", addresses: ["10.1.0.2"], aliases: [], links: [] }],
  ...change,
});
const endpoint = (networkId: string, address: string, change: { aliases?: string[]; links?: string[] } = {}) => ({
  networkId,
  addresses: [address],
  aliases: [],
  links: [],
  ...change,
});
const namesOf = (plan: ReturnType<typeof planResolverState>, id: string): Record<string, string[]> => {
  const found: Record<string, string[]> = {};
  for (const { name, addresses } of plan.networks.find((each) => each.id === id)?.names ?? [])
    found[name] = [...(found[name] ?? []), ...addresses];
  return found;
};

test("a container is found by name, aliases, short id and hostname", () => {
  const plan = planResolverState({ networks: [network("n1")], containers: [container("web", { endpoints: [endpoint("n1", "10.1.0.2", { aliases: ["www", "web"] })] })] }); // prettier-ignore
  expect(Object.keys(namesOf(plan, "n1"))).toEqual(["web", "www", "web-01234567", "web-host"]);
  expect(plan.networks[0]?.members).toEqual([{ address: "10.1.0.2", name: "web" }]);
});

test("who is only on networks without names needs no resolver", () => {
  const networks = [network("bridge", { hasNames: false }), network("n1")];
  const plan = planResolverState({ networks, containers: [container("web", { endpoints: [endpoint("bridge", "172.17.0.2")] })] });
  expect(plan).toEqual({ networks: [], containers: [] });
});

test("networks are searched in the order of the interfaces, and only internal ones keep from asking outside", () => {
  const networks = [network("n1", { isInternal: true }), network("n2"), network("bridge", { hasNames: false })];
  const containers = [
    container("both", { endpoints: [endpoint("n2", "10.2.0.2"), endpoint("n1", "10.1.0.2")] }),
    container("inner", { endpoints: [endpoint("n1", "10.1.0.3")] }),
    container("beside", { endpoints: [endpoint("n1", "10.1.0.4"), endpoint("bridge", "172.17.0.2")] }),
  ];
  const plan = planResolverState({ networks, containers });
  expect(plan.containers.map(({ networks: ids, isForwarding }) => ({ ids, isForwarding }))).toEqual([
    { ids: ["n2", "n1"], isForwarding: true },
    { ids: ["n1"], isForwarding: false },
    { ids: ["n1"], isForwarding: true },
  ]);
});

test("a link is a name for one container, while its target is there", () => {
  const web = container("web", { endpoints: [endpoint("n1", "10.1.0.3", { links: ["db:store", "gone:x", "db"] })] });
  const plan = planResolverState({ networks: [network("n1")], containers: [container("db"), web] });
  expect(plan.containers.map(({ links }) => links)).toEqual([
    [],
    [
      { name: "store", addresses: ["10.1.0.2"] },
      { name: "db", addresses: ["10.1.0.2"] },
    ],
  ]);
  expect(parseLink("db:store")).toEqual({ target: "db", alias: "store" });
});

test("members of other hosts and services are names too; a service's name is its virtual address", () => {
  const member = {
    host: 2,
    containerId: "fedcba9876543210",
    containerName: "far",
    aliases: ["shop"],
    address: "10.1.0.40",
    address6: "fd01::40",
    isReached: true,
  };
  const service = sampleService({ names: ["shop", "app_shop"], addresses: ["10.1.0.200"], backends: [{ address: "10.1.0.40", weight: 1 }, { address: "10.1.0.41", weight: 0 }] }); // prettier-ignore
  const plan = planResolverState({
    networks: [network("n1", { members: [member], services: [service, { ...service, names: ["plain"], addresses: [] }] })],
    containers: [container("web")],
  });
  expect(namesOf(plan, "n1")).toMatchObject({
    far: ["10.1.0.40", "fd01::40"],
    fedcba987654: ["10.1.0.40", "fd01::40"],
    shop: ["10.1.0.200"],
    app_shop: ["10.1.0.200"],
    "tasks.shop": ["10.1.0.40"],
    plain: ["10.1.0.40"],
  });
});

test("what is out of reach has no name, unless nobody else has it", () => {
  const member = (host: number, containerName: string, address: string, isReached: boolean) => {
    const aliases = ["shop"];
    return { host, containerId: `${containerName}${"0".repeat(12)}`, containerName, aliases, address, address6: null, isReached };
  };
  const near = container("near", { endpoints: [endpoint("n1", "10.1.0.2", { aliases: ["cart"] })] });
  const shops = [member(2, "two", "10.1.0.40", false), member(3, "three", "10.1.0.50", true), member(2, "Cart", "10.1.0.41", false)];
  const plan = planResolverState({ networks: [network("n1", { members: shops })], containers: [near] });
  expect(namesOf(plan, "n1")).toMatchObject({ shop: ["10.1.0.50"], cart: ["10.1.0.2"], two: ["10.1.0.40"] });
  expect(plan.networks[0]?.members).toContainEqual({ address: "10.1.0.40", name: "two" });
  const allAway = shops.map((each) => ({ ...each, isReached: false }));
  const away = planResolverState({ networks: [network("n1", { members: allAway })], containers: [near] });
  expect(namesOf(away, "n1")).toMatchObject({ shop: ["10.1.0.40", "10.1.0.50", "10.1.0.41"] });
});
