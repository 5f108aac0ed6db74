// Ways from one container to another one on another host, as namespaces of this process: routed by hand, by an overlay of ours with
// nothing but its kernel objects, and with its tables and a hundred services as the product has it.
import { join } from "node:path";
import { createNetns, removeNetns } from "../agent/src/host/netns.ts";
import type { NetworkService } from "@flotilla/protocol";
import { sampleNetwork, sampleService } from "@flotilla/protocol/sample-network";
import { OverlayLab } from "../test/host/overlay-lab.ts";

/** Paths of the two namespaces, and where the first calls the second, which listens on the port. */
export type Path = { from: string; to: string; address: string; port: number };
export type OverlayPaths = Record<"direct" | "bare" | "product" | "service" | "serviceOf100", Path> & { close: () => Promise<void> };

const VNI = 4097;
const SERVICES = 100;
const PORT = 7_001;
/** What a service balances over, in networks that have any. */
const SERVICE = { address: "10.31.255.1", port: 7_002 } as const;

export async function makeOverlayPaths(): Promise<OverlayPaths> {
  const bare = new OverlayLab();
  const single = new OverlayLab();
  const product = new OverlayLab();
  const close = async (): Promise<void> => {
    for (const number of [1, 2]) removeNetns(join(bare.root, `direct${number}`));
    await Promise.all([bare.close(), single.close(), product.close()]);
  };
  try {
    const barePath = await joinTwo(bare, 0);
    const singlePath = await joinTwo(single, 1);
    const productPath = await joinTwo(product, SERVICES);
    const direct = await routeByHand(bare);
    for (const number of [1, 2]) {
      for (const path of [bare.host(number).path, bare.router(number, VNI).path]) await bare.nft(path, "flush ruleset\n");
    }
    return {
      direct,
      bare: barePath,
      product: productPath,
      service: { ...singlePath, ...SERVICE },
      serviceOf100: { ...productPath, ...SERVICE },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A network over two hosts with a container on each. @param services how many there are, one of them with the second for its replica. */
async function joinTwo(lab: OverlayLab, services: number): Promise<Path> {
  await lab.up(2);
  const list = Array.from({ length: services }, (_, index) => {
    if (index === 0) return measuredService();
    const ports = [{ protocol: "tcp" as const, port: 1_000 + index, targetPort: 8080, publishedPort: null }];
    return sampleService({ id: `s${index}`, addresses: [`10.31.${index}.1`], ports });
  });
  await lab.network(sampleNetwork(2, { blocks: [1, 2].map((host) => ({ host, cidr: `10.30.1.${host * 16}/28` })) }), [1, 2], list);
  const from = await lab.container(1, VNI, { name: "a", address: "10.30.1.18" });
  const to = await lab.container(2, VNI, { name: "b", address: "10.30.1.34" });
  return { from: from.path, to: to.path, address: to.address, port: PORT };
}

function measuredService(): NetworkService {
  const { address, port } = SERVICE;
  const ports = (["tcp", "udp"] as const).map((protocol) => ({ protocol, port, targetPort: port, publishedPort: null }));
  return sampleService({ id: "s0", addresses: [address], ports, backends: [{ address: "10.30.1.34", weight: 1 }] });
}

/** Two more containers of the same hosts, with plain routes and no encapsulation: the least that containers on two hosts can cost. */
async function routeByHand(lab: OverlayLab): Promise<Path> {
  const ends = [1, 2].map((number) => ({
    number,
    path: join(lab.root, `direct${number}`),
    own: `10.77.${number}.2`,
    gateway: `10.77.${number}.1`,
  }));
  for (const { number, path, own, gateway } of ends) {
    createNetns(path, () => undefined);
    const host = lab.host(number).path;
    await lab.ip(host, [
      `link add d0 mtu 1500 type veth peer name eth0 mtu 1500 netns ${path}`,
      `addr add ${gateway}/24 dev d0`,
      "link set d0 up",
      `route add 10.77.${3 - number}.0/24 via 10.99.0.${3 - number}`,
    ]);
    await lab.exec(host, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    await lab.ip(path, ["link set lo up", `addr add ${own}/24 dev eth0`, "link set eth0 up", `route add default via ${gateway}`]);
  }
  return { from: join(lab.root, "direct1"), to: join(lab.root, "direct2"), address: "10.77.2.2", port: PORT };
}
