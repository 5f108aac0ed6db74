import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { formatChange, type KernelObject, type ObjectChange } from "./kernel-objects.ts";
import { NetlinkSocket } from "./netlink.ts";
import { DONE_ALREADY, decodeObject, dumpRequests, encodeChange, type LinkIndexes } from "./object-messages.ts";
import type { RouteSocket } from "./rtnetlink.ts";

/** Requests in one datagram: well below the socket's buffer, also for their acknowledgements. */
const BATCH = 200;
/** Changes of one container and no more. */
const FEW = 16;

/** Addresses, neighbours, routes and rules of the network namespace that the calling thread was in when this was made. */
export class ObjectSocket {
  readonly #socket = new NetlinkSocket();
  readonly #links: RouteSocket;

  /** @param links of the same namespace; the caller closes it. */
  constructor(links: RouteSocket) {
    this.#links = links;
  }

  /**
   * In order. What is as wanted already counts as done. A link that is not there fails them all.
   * @throws FlotillaError `internal` for the first that the kernel refused, when all have been tried.
   */
  apply(changes: readonly ObjectChange[]): void {
    const links = changes.length > FEW ? this.#readLinks() : this.#askLinks();
    let failure: FlotillaError | undefined;
    for (let at = 0; at < changes.length; at += BATCH) {
      try {
        this.#socket.execute(
          changes.slice(at, at + BATCH).map((change) => ({
            attempt: formatChange(change),
            message: encodeChange(change, links),
            ignore: DONE_ALREADY[change.verb],
          })),
        );
      } catch (error) {
        failure ??= toFlotillaError(error);
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Everything of these kinds that somebody made on purpose. */
  list(): KernelObject[] {
    const links = this.#readLinks();
    return dumpRequests().flatMap((request) =>
      this.#socket.dump(request).flatMap((payload) => decodeObject(request.message.type, payload, links) ?? []),
    );
  }

  close(): void {
    this.#socket.close();
  }

  /** Asks for each link that is named: a router of a thousand containers has a thousand. */
  #askLinks(): Pick<LinkIndexes, "indexOf"> {
    const known = new Map<string, number>();
    return {
      indexOf: (name) => {
        const index = known.get(name) ?? this.#links.findLink(name)?.index;
        if (index === undefined) throw new FlotillaError("internal", `find link ${name}: ENODEV`, { details: { errno: "ENODEV" } });
        known.set(name, index);
        return index;
      },
    };
  }

  #readLinks(): LinkIndexes {
    const links = this.#links.links();
    return {
      indexOf: (name) => {
        const index = links.find((link) => link.name === name)?.index;
        if (index === undefined) throw new FlotillaError("internal", `find link ${name}: ENODEV`, { details: { errno: "ENODEV" } });
        return index;
      },
      nameOf: (index) => links.find((link) => link.index === index)?.name ?? `#${index}`,
    };
  }
}
