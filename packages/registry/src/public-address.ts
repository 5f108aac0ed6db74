import { BlockList, isIP, isIPv4 } from "node:net";

// IANA's special-purpose registries (RFC 6890 and its successors): what is not reachable from anywhere on the Internet.
const INSIDE_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** Everything but global unicast; the mapped and translated forms of IPv4 would lead around the list above. */
const GLOBAL_V6 = "2000::/3";
const INSIDE_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** Whether an IP address is one of the public Internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  if (isIPv4(address)) return !listOf(INSIDE_V4, "ipv4").check(address, "ipv4");
  return listOf([GLOBAL_V6], "ipv6").check(address, "ipv6") && !listOf(INSIDE_V6, "ipv6").check(address, "ipv6");
}

/** Whether a host of a reference is this machine: Docker takes such registries as insecure without being told. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."));
}

function listOf(subnets: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = "", prefix = "0"] = subnet.split("/");
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
