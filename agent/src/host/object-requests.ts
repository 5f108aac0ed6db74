// Addresses, neighbours, routes and rules of a network namespace, by its socket.
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { formatChange, type KernelObject, type ObjectChange } from "./kernel-objects.ts";
import type { Link } from "./link-operations.ts";
import type { NetlinkSocket } from "./netlink.ts";
import { DONE_ALREADY, decodeObject, dumpRequests, encodeChange, type LinkIndexes } from "./object-messages.ts";

/** Requests in one datagram: well below the socket's buffer, also for what is refused of them. */
const BATCH = 200;
/** Changes of one container and no more. */
const FEW = 16;

/** Where indexes of links come from. */
export type LinkSource = { links(): Link[]; indexOf(name: string): number };

/**
 * In order. What is as wanted already counts as done. A link that is not there fails them all.
 * @throws FlotillaError `internal` for the first that the kernel refused, when all have been tried.
 */
export function applyObjects(socket: NetlinkSocket, changes: readonly ObjectChange[], source: LinkSource): void {
  if (changes.length === 0) return;
  const links = changes.length > FEW ? indexesOf(source.links()) : askLinks(source);
  let failure: FlotillaError | undefined;
  for (let at = 0; at < changes.length; at += BATCH) {
    try {
      socket.execute(
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

/** Everything of these kinds that somebody made on purpose. @param links of the same namespace. */
export function listObjects(socket: NetlinkSocket, links: readonly Link[]): KernelObject[] {
  const indexes = indexesOf(links);
  return dumpRequests().flatMap((request) =>
    socket.dump(request).flatMap((payload) => decodeObject(request.message.type, payload, indexes) ?? []),
  );
}

/** Asks for each link that is named: a router of a thousand containers has a thousand. */
function askLinks(source: LinkSource): Pick<LinkIndexes, "indexOf"> {
  const known = new Map<string, number>();
  return {
    indexOf: (name) => {
      const index = known.get(name) ?? source.indexOf(name);
      known.set(name, index);
      return index;
    },
  };
}

function indexesOf(links: readonly Link[]): LinkIndexes {
  return {
    indexOf: (name) => {
      const index = links.find((link) => link.name === name)?.index;
      if (index === undefined) throw new FlotillaError("internal", `find link ${name}: ENODEV`, { details: { errno: "ENODEV" } });
      return index;
    },
    nameOf: (index) => links.find((link) => link.index === index)?.name ?? `#${index}`,
  };
}
