import { sampleService } from "@flotilla/protocol/sample-network";
import { describe, expect, test } from "vitest";
import { findStaleFlows, planPublished, planServers, type VirtualServer } from "./virtual-servers.ts";

const backendsOf = (...addresses: string[]) => addresses.map((address) => ({ address, weight: 1 }));

describe("planServers", () => {
  test("gives each family its backends, in one order on all hosts", () => {
    const [v4, v6] = planServers(sampleService({ backends: backendsOf("10.30.1.34", "fd30:1::a1e:112", "10.30.1.18") }));
    expect(v4?.slots.map((slot) => slot.address)).toEqual(["10.30.1.18", "10.30.1.34"]);
    expect(v6?.slots).toEqual([{ address: "fd30:1::a1e:112", port: 8080 }]);
  });

  test("counts weights as slots; 0 is none; nothing left is no server", () => {
    const weigh = (...weights: number[]) => planServers(sampleService({ addresses: ["10.30.1.2"], backends: weights.map((weight, index) => ({ address: `10.30.1.${18 + index}`, weight })) })); // prettier-ignore
    expect(weigh(1, 3, 0)[0]?.slots.map((slot) => slot.address)).toEqual(["10.30.1.18", "10.30.1.19", "10.30.1.19", "10.30.1.19"]);
    expect(weigh(0, 0)).toEqual([]);
  });
});

describe("planPublished", () => {
  const at = (publishedPort: number | null) => sampleService({ ports: [{ protocol: "tcp", port: 80, targetPort: 8080, publishedPort }] });
  const own = { protocol: "udp" as const, hostPort: 53, containerAddress: "10.30.1.18", containerPort: 5353 };
  const textOf = (servers: VirtualServer[]) => servers.map(({ address, protocol, port, slots }) => `${protocol} ${address}:${port} ${slots.length}`); // prettier-ignore
  const uplinkAddress = "169.254.64.1";

  test("is what answers at the router's end of the uplink; without one nothing is", () => {
    expect(textOf(planPublished([at(443), at(null)], { uplinkAddress, ports: [own] }))).toEqual(["udp 169.254.64.1:53 1", "tcp 169.254.64.1:443 2"]); // prettier-ignore
    expect(planPublished([at(443)], { uplinkAddress: undefined, ports: [own] })).toEqual([]);
  });

  test("has one owner for a port: the container that publishes it", () => {
    const port = { ...own, protocol: "tcp" as const, hostPort: 443 };
    expect(textOf(planPublished([at(443)], { uplinkAddress, ports: [port, { ...port, protocol: "sctp" }] }))).toEqual(["tcp 169.254.64.1:443 1"]); // prettier-ignore
  });
});

describe("findStaleFlows", () => {
  const udp = (...addresses: string[]) => planServers(sampleService({ addresses: ["10.30.1.2"], ports: [{ protocol: "udp", port: 53, targetPort: 53, publishedPort: null }], backends: backendsOf(...addresses) })); // prettier-ignore

  test("are those of backends that went, and of servers that went", () => {
    const flow = { address: "10.30.1.2", port: 53, backend: "10.30.1.18" };
    expect(findStaleFlows(udp("10.30.1.18", "10.30.1.34"), udp("10.30.1.34"))).toEqual([flow]);
    expect(findStaleFlows(udp("10.30.1.18"), [])).toEqual([flow]);
  });

  test("are none when backends come, and none of TCP", () => {
    expect(findStaleFlows(udp("10.30.1.18"), udp("10.30.1.18", "10.30.1.34"))).toEqual([]);
    expect(findStaleFlows(planServers(sampleService()), [])).toEqual([]);
  });
});
