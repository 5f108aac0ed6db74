// Networks and services for tests of every part: what is not said is sound.
import type { NetworkService } from "./network-service.ts";
import type { NetworkState } from "./overlay-state.ts";

/** What a network is to all of its hosts alike. */
export type SharedNetworkState = Omit<NetworkState, "self">;

/** A host's address on the underlay of the small lab. */
export const sampleUnderlay = (number: number, family: 4 | 6 = 4): string => (family === 4 ? `10.99.0.${number}` : `fd99::${number}`);

/** A network over hosts 1 to `count`: /24 with a /28 for each host, the first being that of the virtual addresses. */
export function sampleNetwork(count: number, change: Partial<SharedNetworkState> = {}): SharedNetworkState {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return {
    id: "ab".repeat(32),
    namespace: "default",
    name: "net",
    vni: 4097,
    vxlanPort: 4789,
    subnet: "10.30.1.0/24",
    gateway: "10.30.1.1",
    subnet6: "fd30:1::/64",
    mtuBytes: null,
    isInternal: false,
    isEncrypted: false,
    isAttachable: true,
    labels: {},
    options: {},
    createdAtMs: 0,
    hosts: numbers.map((number) => ({ number, underlay: sampleUnderlay(number), tunnels: [] })),
    blocks: numbers.map((host) => ({ host, cidr: `10.30.1.${host * 16}/28` })),
    pins: [],
    members: [],
    dead: [],
    down: [],
    isolated: [],
    allow: [],
    ...change,
  };
}

/** A web server of three replicas on the sample network. */
export function sampleService(change: Partial<NetworkService> = {}): NetworkService {
  return {
    networkId: "ab".repeat(32),
    id: "web",
    names: [change.id ?? "web"],
    addresses: ["10.30.1.2", "fd30:1::a1e:102"],
    ports: [{ protocol: "tcp", port: 80, targetPort: 8080, publishedPort: null }],
    affinity: "none",
    backends: ["10.30.1.18", "10.30.1.34", "fd30:1::a1e:112"].map((address) => ({ address, weight: 1 })),
    ...change,
  };
}
