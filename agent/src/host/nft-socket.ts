// nftables by netlink itself, for the few things that are asked for with every container: libnftables would make a context, read what there is and
// parse a text for each.
import { elementRequest, tableRequest, transactionOf, type SetChange } from "./nft-messages.ts";
import { NetlinkSocket, type NetlinkRequest } from "./netlink.ts";

const NETLINK_NETFILTER = 12;

/**
 * Of one network namespace. To close a socket of netfilter's waits for all processors while something that was removed from a table is
 * still on its way out: whoever needs one often keeps it.
 */
export class NftSocket {
  readonly #socket: NetlinkSocket;

  /** Of the network namespace that the calling thread is in. */
  constructor() {
    this.#socket = new NetlinkSocket(NETLINK_NETFILTER);
  }

  /** Whether a table is there. @param name with its family, as `ip flotilla`. */
  hasTable(name: string): boolean {
    return this.#socket.get(tableRequest(name)) !== undefined;
  }

  /** One transaction: all of it happens, or none. @throws FlotillaError `internal` for the first that the kernel refused. */
  apply(requests: readonly NetlinkRequest[]): void {
    this.#socket.execute(transactionOf(requests));
  }

  /** Elements of sets that are there, in one transaction. @param table with its family. */
  change(table: string, changes: readonly SetChange[]): void {
    this.apply(changes.map((change) => elementRequest(table, change)));
  }

  close(): void {
    this.#socket.close();
  }
}
