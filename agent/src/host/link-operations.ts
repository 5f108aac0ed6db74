// What may be asked of the kernel's links, addresses and routes, as data: plans are lists of these, tests compare their
// text, and rtnetlink.ts performs them.

/** Every operation applies to the network namespace of the socket that performs it. */
export type LinkOperation =
  | { kind: "add-bridge"; name: string; mac: string; mtuBytes: number }
  /**
   * Makes both ends at once: `name` here, enslaved to `master` unless that is "", and `peer.name` in the namespace of the
   * file `peer.netnsPath`. `masterIndex` for who knows it.
   */
  | {
      kind: "add-veth";
      name: string;
      mac: string;
      master: string;
      masterIndex?: number;
      mtuBytes: number;
      peer: { name: string; mac: string; netnsPath: string };
    }
  /**
   * A VXLAN device in the namespace of the file `netnsPath`, whose packets travel through this one: its UDP socket stays
   * here. It learns nothing; `localAddress` is IPv4 or IPv6.
   */
  | { kind: "add-vxlan"; name: string; vni: number; localAddress: string; port: number; mac: string; mtuBytes: number; netnsPath: string }
  /** Another address of the same family for a VXLAN device, which goes on. */
  | { kind: "set-vxlan-local"; name: string; vni: number; localAddress: string }
  | { kind: "set-mtu"; name: string; mtuBytes: number }
  /** Whether packets that the link receives are gathered to larger ones (GRO). */
  | { kind: "set-receive-offload"; name: string; isOn: boolean }
  /** Neither IPv6 link-local address nor multicast chatter; before `set-up`. */
  | { kind: "disable-ipv6-autoconfiguration"; name: string }
  | { kind: "set-up"; name: string }
  | { kind: "set-master"; name: string; master: string }
  /** A bridge port may send a frame back where it came from. */
  | { kind: "enable-hairpin"; name: string }
  /** A bridge port that exchanges no frames with other isolated ones. */
  | { kind: "isolate-port"; name: string }
  | { kind: "add-address"; name: string; address: string; prefixLength: number }
  | { kind: "add-default-route"; gateway: string; link: string }
  /** In place of the one that is there. */
  | { kind: "replace-default-route"; gateway: string; link: string }
  /** What is not there counts as deleted. */
  | { kind: "delete-link"; name: string };

export type Link = {
  index: number;
  name: string;
  /** `veth`, `bridge`, … or "" for hardware. */
  kind: string;
  mac: string;
  mtuBytes: number;
  /** Index of the bridge it belongs to; 0 when none. */
  masterIndex: number;
  isUp: boolean;
  /** Of a VXLAN device. */
  vxlan?: VxlanFacts | undefined;
};

/** `localAddress` is canonical, "" when it has none. */
export type VxlanFacts = { vni: number; localAddress: string; port: number };

export type LinkAddress = { linkIndex: number; address: string; prefixLength: number };

/** An IPv4 route of any table; `destination` "0.0.0.0" with prefixLength 0 is a default route. */
export type Route = { destination: string; prefixLength: number; gateway: string; linkIndex: number; metric: number; table: number };

/** One line per operation, in the words of ip(8). */
export function formatLinkOperation(operation: LinkOperation): string {
  switch (operation.kind) {
    case "add-bridge":
      return `link add ${operation.name} address ${operation.mac} mtu ${operation.mtuBytes} type bridge`;
    case "add-veth": {
      const { name, mac, master, mtuBytes, peer } = operation;
      const enslaved = master === "" ? "" : ` master ${master}`;
      return `link add ${name} address ${mac} mtu ${mtuBytes}${enslaved} type veth peer ${peer.name} address ${peer.mac} mtu ${mtuBytes} netns ${peer.netnsPath}`;
    }
    case "add-vxlan": {
      const { name, vni, localAddress, port, mac, mtuBytes, netnsPath } = operation;
      return `link add ${name} netns ${netnsPath} address ${mac} mtu ${mtuBytes} type vxlan id ${vni} local ${localAddress} dstport ${port} nolearning`;
    }
    case "set-vxlan-local":
      return `link set ${operation.name} type vxlan id ${operation.vni} local ${operation.localAddress}`;
    case "set-mtu":
      return `link set ${operation.name} mtu ${operation.mtuBytes}`;
    case "set-receive-offload":
      return `ethtool -K ${operation.name} gro ${operation.isOn ? "on" : "off"}`;
    case "disable-ipv6-autoconfiguration":
      return `link set ${operation.name} addrgenmode none`;
    case "set-up":
      return `link set ${operation.name} up`;
    case "set-master":
      return `link set ${operation.name} master ${operation.master}`;
    case "enable-hairpin":
      return `link set ${operation.name} type bridge_slave hairpin on`;
    case "isolate-port":
      return `link set ${operation.name} type bridge_slave isolated on`;
    case "add-address":
      return `addr add ${operation.address}/${operation.prefixLength} dev ${operation.name}`;
    case "add-default-route":
      return `route add default via ${operation.gateway} dev ${operation.link}`;
    case "replace-default-route":
      return `route replace default via ${operation.gateway} dev ${operation.link}`;
    case "delete-link":
      return `link delete ${operation.name}`;
  }
}
