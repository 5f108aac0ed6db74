// Whether an nftables table is there, by one netlink request: libnftables would make a context and read the whole ruleset.
import { encodeText } from "./netlink-message.ts";
import { NetlinkSocket } from "./netlink.ts";

const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
const NFPROTO_INET = 1;
const NFTA_TABLE_NAME = 1;

/** A table of family inet in the network namespace that the calling thread is in. */
export function hasInetTable(name: string): boolean {
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const payload = Buffer.concat([Buffer.from([NFPROTO_INET, 0, 0, 0]), encodeText(NFTA_TABLE_NAME, name)]);
    const message = { type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, flags: 0, payload };
    return socket.get({ attempt: `find table inet ${name}`, message }) !== undefined;
  } finally {
    socket.close();
  }
}
