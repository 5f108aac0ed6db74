import { beforeEach, describe, expect, test } from "vitest";
import { FakeNetworkKernel } from "../host/fake-network-kernel.ts";
import { FakeOverlayKernel } from "../host/fake-overlay-kernel.ts";
import { ensureEndpointLink } from "./endpoint-link.ts";
import { joinKernels, sampleState } from "./fixture.ts";

const ROUTER = "/r/overlay/4097";
const NETNS = "/r/netns/c1";
let host: FakeNetworkKernel;
let kernel: FakeOverlayKernel;

beforeEach(() => {
  host = new FakeNetworkKernel();
  kernel = new FakeOverlayKernel();
  joinKernels(host, kernel);
  host.createNetns(NETNS);
});

const ensure = (isFresh: boolean, mtuBytes = 1450): boolean => {
  host.transcript.length = 0;
  kernel.transcript.length = 0;
  const endpoint = { link: "c1", address: "10.30.1.18", address6: "", mac: "02:42:0a:1e:01:12" };
  const end = { endpoint, position: 0, isDefaultRoute: true, netnsPath: NETNS, mtuBytes };
  return ensureEndpointLink(sampleState(), end, { router: kernel.router(ROUTER), container: host.stack(NETNS), isFresh });
};
const MADE = [
  "overlay/4097: link add c1 address 02:ee:ee:ee:ee:ee mtu 1450 type veth peer eth0 address 02:42:0a:1e:01:12 mtu 1450 netns /r/netns/c1",
  "overlay/4097: link set c1 addrgenmode none",
  "overlay/4097: link set c1 up",
];
const REMADE = ["overlay/4097: link delete c1", ...MADE];

describe("a container's link to its router", () => {
  test("is made in a namespace that is new without a look at what there is, with addresses and routes", () => {
    expect(ensure(true)).toBe(true);
    expect(kernel.transcript).toEqual(MADE);
    expect(host.transcript).toEqual([
      "c1: link set eth0 addrgenmode none",
      "c1: link set eth0 up",
      "c1: replace addr 10.30.1.18/24 dev eth0",
      "c1: replace neigh 10.30.1.1 lladdr 02:ee:ee:ee:ee:ee dev eth0",
      "c1: replace route unicast 10.30.1.1/32 table 254 dev eth0",
      "c1: replace route unicast 10.30.1.0/24 table 254 dev eth0 via 10.30.1.1 onlink src 10.30.1.18",
      "c1: replace route unicast 0.0.0.0/0 table 254 dev eth0 via 10.30.1.1 onlink",
    ]);
  });

  test("takes the place of one that leads to a namespace which lost its name", () => {
    kernel.router(ROUTER).addLink({ name: "c1", kind: "veth", mac: "", mtuBytes: 1450 });
    expect(ensure(true)).toBe(true);
    expect(kernel.transcript).toEqual([MADE[0], ...REMADE]);
    expect(host.stack(NETNS).findLink("eth0")?.isUp).toBe(true);
  });

  test("is left as it is when it is complete, and completed when an end lacks something", () => {
    ensure(true);
    expect(ensure(false)).toBe(false);
    expect(kernel.transcript).toEqual([]);
    expect(host.transcript.filter((line) => line.includes("replace"))).toEqual([]);
    host.stack(NETNS).kept.delete("neigh 10.30.1.1 dev eth0");
    expect(ensure(false)).toBe(false);
    expect(host.transcript.filter((line) => line.includes("replace"))).toEqual(["c1: replace neigh 10.30.1.1 lladdr 02:ee:ee:ee:ee:ee dev eth0"]); // prettier-ignore
  });

  test("gets another MTU at both ends", () => {
    ensure(true);
    expect(ensure(false, 1400)).toBe(false);
    expect(kernel.transcript).toEqual(["overlay/4097: link set c1 mtu 1400"]);
    expect(host.transcript[0]).toBe("c1: link set eth0 mtu 1400");
  });

  test("is made anew when an end is gone or down, as after an agent that was killed in between", () => {
    ensure(true);
    host.stack(NETNS).linksByName.delete("eth0");
    expect(ensure(false)).toBe(true);
    expect(kernel.transcript).toEqual(REMADE);
    kernel.router(ROUTER).applyLinks([{ kind: "delete-link", name: "c1" }]);
    host.stack(NETNS).linksByName.delete("eth0");
    kernel.router(ROUTER).applyLinks(
      [{ kind: "add-veth", name: "c1", mac: "", master: "", mtuBytes: 1450, peer: { name: "eth0", mac: "02:42:0a:1e:01:12", netnsPath: NETNS } }], // prettier-ignore
    );
    host.stack(NETNS).linksByName.delete("eth0");
    expect(ensure(false)).toBe(true);
  });
});
