import { beforeEach, describe, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { NetworkStore, type EndpointRow, type NetworkRow } from "./network-store.ts";

let db: Database;
let store: NetworkStore;
let addresses = 0;

beforeEach(() => {
  db = new Database(":memory:");
  store = new NetworkStore(db);
  addresses = 0;
  store.networks();
});

const network = (id: string, change: Partial<NetworkRow> = {}): Parameters<NetworkStore["addNetwork"]>[0] => ({
  id,
  namespace: "default",
  name: id,
  driver: "bridge",
  subnet: "10.1.0.0/16",
  gateway: "10.1.0.1",
  address_range: "",
  subnet6: "",
  gateway6: "",
  is_subnet_chosen: true,
  is_internal: false,
  is_attachable: true,
  labels: { a: "b" },
  options: {},
  created_at_ms: 1,
  ...change,
});
const attach = (id: string, to = store): void =>
  to.addAttachment({ container_id: id, namespace: "default", hostname: id, container_name: id, dns_servers: ["9.9.9.9"] });
function join(container: string, networkId: string, change: Partial<EndpointRow> = {}): void {
  addresses += 1;
  const position = store.endpointsOf(container).length;
  const ids = { id: `${container}@${networkId}`, container_id: container, network_id: networkId };
  const address = `10.1.${addresses >> 8}.${addresses & 255}`;
  store.addEndpoint({ ...ids, position, address, address6: "", mac: "02:42:00:00:00:01", aliases: ["x"], links: [], ...change });
}
const publish = (container: string, port: number): void =>
  store.addPort({ container_id: container, protocol: "tcp", host_address: "0.0.0.0", host_port: port, container_port: 80 });

/** All that can be read of a store. */
function read(of: NetworkStore): unknown {
  const networks = of.networks();
  const attachments = of.attachments();
  return {
    networks,
    attachments,
    endpoints: of.endpoints(),
    ports: of.ports(),
    publishers: of.publishers(),
    inUse: [...of.networksInUse()].toSorted(),
    byNetwork: networks.map(({ id, namespace, name }) => [
      of.findNetwork(id),
      of.findNamed(namespace, name),
      of.endpointsIn(id),
      [...of.publishersIn(id)].toSorted(),
      of.isInUse(id),
    ]),
    byContainer: attachments.map(({ container_id: id }) => [of.findAttachment(id), of.endpointsOf(id), of.portsOf(id)]),
  };
}
/** One that has kept nothing, as after a start. */
const expectKept = (): void => expect(read(store)).toEqual(read(new NetworkStore(db)));

describe("what is kept in memory is what the database has", () => {
  test("after each kind of write", () => {
    const writes: (() => void)[] = [
      () => store.addNetwork(network("n1"), { router: "10.1.0.9" }),
      () => store.addNetwork(network("n2", { driver: "overlay", address_range6: "fd00::/80", subnet6: "fd00::/64", namespace: "team" })),
      () => store.setSubnet("n1", { subnet: "10.2.0.0/16", gateway: "10.2.0.1" }),
      () => store.setLastAddress("n1", "10.2.0.7"),
      () => attach("c1"),
      () => attach("c2"),
      () => join("c1", "n2"),
      () => join("c2", "n1"),
      () => join("c1", "n1", { position: 1 }),
      () => publish("c1", 8081),
      () => publish("c1", 8080),
      () => publish("c2", 80),
      () => store.setContainerName("c1", "renamed"),
      () => store.removePorts("c2"),
      () => store.removeEndpoint("c2@n1"),
      () => join("c2", "n2"),
      () => store.removeAttachment("c1"),
      () => store.removeAttachment("c2"),
      () => store.removeNetwork("n1"),
      () => store.addNetwork(network("n1")),
      // Nothing of that name.
      () => [store.removeEndpoint("no"), store.removeAttachment("no"), store.removePorts("no"), store.setContainerName("no", "x")],
      () => [store.setLastAddress("no", "10.1.0.1"), store.removeNetwork("no")],
    ];
    for (const write of writes) {
      write();
      expectKept();
    }
    expect(store.networks().map(({ id, number }) => [id, number])).toEqual([["n2", 2], ["n1", 3]]); // prettier-ignore
  });

  test("after a refused write, alone and caught within a transaction", () => {
    store.addNetwork(network("n1"));
    attach("c1");
    join("c1", "n1");
    for (const refused of [
      () => attach("c1"),
      () => join("c1", "n1"),
      () => join("c1", "unknown"),
      () => store.addNetwork(network("n1")),
      () => store.removeNetwork("n1"),
      () => publish("unknown", 80),
    ]) {
      expect(refused).toThrow();
      expectKept();
      store.transaction(() => {
        attach("c2");
        expect(refused).toThrow();
        expectKept();
      });
      expectKept();
      store.removeAttachment("c2");
    }
  });

  test("within a transaction, and as it was before when that is undone, by whomever", () => {
    store.addNetwork(network("n1"));
    attach("c1");
    join("c1", "n1");
    const before = read(store);
    for (const transaction of [(work: () => void) => store.transaction(work), (work: () => void) => db.transaction(work)]) {
      const work = (): void => {
        store.removeAttachment("c1");
        attach("c2");
        join("c2", "n1");
        publish("c2", 80);
        store.setLastAddress("n1", "10.1.0.9");
        expectKept();
        throw new Error("undone");
      };
      expect(() => transaction(work)).toThrow("undone");
      expect(read(store)).toEqual(before);
      expectKept();
    }
  });
});

test("rows are the store's own: what it was given may change, what it hands out may not, lists are the asker's", () => {
  store.addNetwork(network("n1"));
  attach("c1");
  const aliases = ["x"];
  join("c1", "n1", { aliases });
  aliases.push("y");
  store.endpointsIn("n1").length = 0;
  store.endpointsOf("c1").length = 0;
  expect(store.endpointsOf("c1")).toMatchObject([{ aliases: ["x"], number: 1 }]);
  expect(() => Object.assign(store.endpointsIn("n1")[0] ?? {}, { address: "10.9.9.9" })).toThrow(TypeError);
  expectKept();
});

test("an address is used by one endpoint of its network", () => {
  store.addNetwork(network("n1"));
  store.addNetwork(network("n2"));
  attach("c1");
  join("c1", "n1", { address: "10.1.0.5" });
  expect([store.isAddressUsed("n1", "10.1.0.5"), store.isAddressUsed("n2", "10.1.0.5"), store.isAddressUsed("n1", "10.1.0.6")]).toEqual([
    true,
    false,
    false,
  ]);
});
