// Whether an nftables table is there, by one netlink request: libnftables would make a context and read the whole ruleset.
import { encodeText } from "./netlink-message.ts";
import { NetlinkSocket } from "./netlink.ts";

const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
/** NFPROTO_ of linux/netfilter.h. */
const FAMILIES: Readonly<Record<string, number>> = { inet: 1, ip: 2, ip6: 10 };
const NFTA_TABLE_NAME = 1;

/** A table in the network namespace that the calling thread is in. @param name with its family, as `ip flotilla`. */
export function hasTable(name: string): boolean {
  const [family = "", own = ""] = name.split(" ");
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const payload = Buffer.concat([Buffer.from([FAMILIES[family] ?? 0, 0, 0, 0]), encodeText(NFTA_TABLE_NAME, own)]);
    const message = { type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, flags: 0, payload };
    return socket.get({ attempt: `find table ${name}`, message }) !== undefined;
  } finally {
    socket.close();
  }
}
