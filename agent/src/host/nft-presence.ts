// Whether an nftables table is there, by one netlink request: libnftables would make a context and read the whole ruleset.
import { encodeText } from "./netlink-message.ts";
import { NetlinkSocket } from "./netlink.ts";

const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
/** NFPROTO_ of linux/netfilter.h. */
const FAMILIES: Readonly<Record<string, number>> = { inet: 1, ip: 2, ip6: 10 };
const NFTA_TABLE_NAME = 1;

/**
 * Asks one network namespace. To close a socket of netfilter's waits for all processors while something that was removed from a table is
 * still on its way out: whoever asks often keeps it.
 */
export class NftPresence {
  readonly #socket: NetlinkSocket;

  /** Of the network namespace that the calling thread is in. */
  constructor() {
    this.#socket = new NetlinkSocket(NETLINK_NETFILTER);
  }

  /** @param name with its family, as `ip flotilla`. */
  has(name: string): boolean {
    const [family = "", own = ""] = name.split(" ");
    const payload = Buffer.concat([Buffer.from([FAMILIES[family] ?? 0, 0, 0, 0]), encodeText(NFTA_TABLE_NAME, own)]);
    const message = { type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, flags: 0, payload };
    return this.#socket.get({ attempt: `find table ${name}`, message }) !== undefined;
  }

  close(): void {
    this.#socket.close();
  }
}

/** A table in the network namespace that the calling thread is in. @param name with its family, as `ip flotilla`. */
export function hasTable(name: string): boolean {
  const presence = new NftPresence();
  try {
    return presence.has(name);
  } finally {
    presence.close();
  }
}
