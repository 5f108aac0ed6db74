import { describe, expect, test } from "vitest";
import { checkNetworkForm, EMPTY_NETWORK, type NetworkForm, toNetworkRows, toNewNetwork } from "./network-row.ts";

const host = { id: "1", name: "h1" };
const bridge = { Id: "b", Name: "bridge", Driver: "bridge", Internal: false, IPAM: { Config: [{ Subnet: "172.17.0.0/16" }] }, host };
const overlay = {
  id: "o",
  name: "web",
  subnet: "10.64.0.0/20",
  isInternal: true,
  mtuBytes: null,
  smallestMtuBytes: 1450,
  members: 7,
  pool: { leased: 3, total: 255 },
  problems: 1,
};

describe("rows", () => {
  test("those that span hosts first, local ones with the containers that use them", () => {
    const containers = [
      { host, NetworkSettings: { Networks: { bridge: {}, db: {} } } },
      { host, NetworkSettings: { Networks: { bridge: {} } } },
      { host: { id: "2", name: "h2" }, NetworkSettings: { Networks: { bridge: {} } } },
      { host, NetworkSettings: null },
      { host },
    ];
    const rows = toNetworkRows(
      { items: [bridge, { ...bridge, Name: "db/x", Options: { "com.docker.network.driver.mtu": "1400" } }], overlays: [overlay] },
      containers,
    );
    expect(rows).toMatchObject([
      {
        name: "web",
        host: null,
        members: 7,
        mtuBytes: 1450,
        isPredefined: false,
        problems: 1,
        href: "/networks/web",
        ref: { network: "o" },
      },
      { name: "bridge", host: "h1", members: 2, mtuBytes: null, isPredefined: true, pool: null, ref: { network: "b", host: "h1" } },
      { name: "db/x", members: 0, mtuBytes: 1400, isPredefined: false, href: "/networks/h1/db%2Fx" },
    ]);
  });
});

describe("the form", () => {
  const form = (more: Partial<NetworkForm>): NetworkForm => ({ ...EMPTY_NETWORK, name: "web", ...more });

  test.each<[Partial<NetworkForm>, object]>([
    [{}, {}],
    [{ name: "" }, {}],
    [{ name: "-a" }, { name: "name" }],
    [{ subnet: "10.1.0.0/24", gateway: "10.1.0.1" }, {}],
    [{ subnet: "10.1.0.0" }, { subnet: "subnet" }],
    [{ subnet: "10.1.0.0/33" }, { subnet: "subnet" }],
    [{ subnet: "10.1.0.256/24" }, { subnet: "subnet" }],
    [{ subnet: "10.1.0.0/24", gateway: "10.1.0" }, { gateway: "gateway" }],
    [{ gateway: "10.1.0.1" }, { gateway: "gatewayAlone" }],
    [{ mtu: "1279" }, { mtu: "mtu" }],
    [{ mtu: "8950" }, {}],
    [{ mtu: "1e4" }, { mtu: "mtu" }],
    [{ labels: "a=b\n\n c=d=e " }, {}],
    [{ labels: "=b" }, { labels: "labels" }],
    [{ labels: "a" }, { labels: "labels" }],
  ])("%j has the errors %j", (more, errors) => expect(checkNetworkForm(form(more))).toEqual(errors));

  test("becomes what the API takes", () => {
    expect(toNewNetwork(form({ name: " web ", mtu: "1400", labels: "a=b\nc=d=e" }))).toEqual({
      name: "web",
      subnet: "",
      gateway: "",
      hasIpv6: false,
      isInternal: false,
      mtuBytes: 1400,
      labels: { a: "b", c: "d=e" },
    });
    expect(toNewNetwork(form({ host: "h1" }))).toMatchObject({ host: "h1", mtuBytes: null });
  });
});
