// A network for unit tests: three hosts, seen from host 1.
import type { NetworkState } from "@flotilla/protocol";
import { sampleNetwork } from "@flotilla/protocol/sample-network";
import type { FakeNetworkKernel } from "../host/fake-network-kernel.ts";
import type { FakeOverlayKernel } from "../host/fake-overlay-kernel.ts";
import type { LinkOperation } from "../host/link-operations.ts";
import type { RouterInput } from "./router-plan.ts";

export const sampleState = (change: Partial<NetworkState> = {}): NetworkState => ({ ...sampleNetwork(3), self: 1, ...change });

export function sampleInput(change: Partial<RouterInput> = {}): RouterInput {
  return {
    state: sampleState(),
    services: new Map(),
    published: [],
    localAddress: "10.99.0.1",
    endpoints: [{ link: "c1", address: "10.30.1.18", address6: "fd30:1::a1e:112", mac: "02:42:0a:1e:01:12" }],
    uplink: { hostLink: "fu1a2b3c-35t", hostAddress: "169.254.64.0", routerAddress: "169.254.64.1" },
    ...change,
  };
}

/** Makes one machine of two fakes: links made on the host arrive in routers, and those made in routers in namespaces of containers. */
export function joinKernels(host: FakeNetworkKernel, kernel: FakeOverlayKernel): void {
  const inner = host.host.apply.bind(host.host);
  const toRouter = (operation: LinkOperation): LinkOperation | undefined => {
    if (operation.kind === "add-vxlan") {
      const { name, mac, mtuBytes, vni, localAddress, port } = operation;
      kernel.router(operation.netnsPath).addLink({ name, mac, mtuBytes, kind: "vxlan", vxlan: { vni, localAddress, port } });
      return undefined;
    }
    if (operation.kind === "add-veth" && operation.peer.name === "up0") {
      const { name, mac, mtuBytes, peer } = operation;
      kernel.router(peer.netnsPath).addLink({ name: peer.name, mac: peer.mac, mtuBytes, kind: "veth" });
      host.host.addLink(name, { kind: "veth", mac, mtuBytes });
      return undefined;
    }
    return operation;
  };
  kernel.addPeer = (path, { name, ...link }) => host.stack(path).addLink(name, link);
  host.host.apply = (operations) => {
    for (const operation of operations) inner([toRouter(operation)].flatMap((each) => each ?? []));
  };
}
