import type { NetworkState } from "@flotilla/protocol";

/** A host's address on the underlay of the small lab. */
export const underlay = (number: number, family: 4 | 6): string => (family === 4 ? `10.99.0.${number}` : `fd99::${number}`);

/** A network over hosts 1 to `count`: /24 with a /28 for each host, the first being that of the virtual addresses. */
export function sampleNetwork(count: number, change: Partial<NetworkState> = {}): Omit<NetworkState, "self"> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return {
    id: "ab".repeat(32),
    namespace: "default",
    name: "sample",
    vni: 4097,
    vxlanPort: 4789,
    subnet: "10.30.1.0/24",
    gateway: "10.30.1.1",
    subnet6: "fd30:1::/64",
    mtuBytes: null,
    isInternal: false,
    isAttachable: true,
    labels: {},
    options: {},
    createdAtMs: 0,
    hosts: numbers.map((number) => ({ number, underlay: underlay(number, 4) })),
    blocks: numbers.map((number) => ({ host: number, cidr: `10.30.1.${number * 16}/28` })),
    pins: [],
    services: [],
    dead: [],
    isolated: [],
    allow: [],
    ...change,
  };
}
