// Addresses, neighbours, forwarding entries, routes and rules as data, of both IP families. A plan is a set of these; what
// the kernel has is read back as the same type, so that wanted and present compare by their text.

export type KernelObject =
  /** Never makes a route by itself, never waits for duplicate detection. */
  | { kind: "address"; link: string; address: string; prefixLength: number }
  /** Where frames for a MAC address leave a VXLAN device. */
  | { kind: "fdb"; link: string; mac: string; destination: string }
  /** Permanent: never asked for, never forgotten. */
  | { kind: "neighbour"; link: string; address: string; mac: string }
  | RouteObject
  | RuleObject;

export type RouteObject = {
  kind: "route";
  /** Canonical `address/length`. */
  destination: string;
  /** 254 is the main table. */
  table: number;
  type: "unicast" | "blackhole";
  /** "" for a blackhole. */
  link: string;
  /** Next hop of either family, taken to be on the link whatever the addresses say; "" for none. */
  via: string;
  /** Source that this host's own packets get; "". */
  source: string;
};

/** Packets with a mark, or (mark 0) from an address, use another table. */
export type RuleObject = { kind: "rule"; family: 4 | 6; mark: number; from: string; table: number };

export type ObjectChange = { verb: "replace" | "delete"; object: KernelObject };

export const MAIN_TABLE = 254;

/** In the words of ip(8) and bridge(8), without the verb; one text is one object. */
export function formatObject(object: KernelObject): string {
  switch (object.kind) {
    case "address":
      return `addr ${object.address}/${object.prefixLength} dev ${object.link}`;
    case "fdb":
      return `fdb ${object.mac} dev ${object.link} dst ${object.destination}`;
    case "neighbour":
      return `neigh ${object.address} lladdr ${object.mac} dev ${object.link}`;
    case "rule":
      return `rule ${object.family} ${object.mark === 0 ? `from ${object.from}` : `fwmark ${object.mark}`} lookup ${object.table}`;
    case "route": {
      const { destination, table, type, link, via, source } = object;
      const parts = [
        `route ${type} ${destination} table ${table}`,
        link && `dev ${link}`,
        via && `via ${via} onlink`,
        source && `src ${source}`,
      ];
      return parts.filter((part) => part !== "").join(" ");
    }
  }
}

/** Two objects of one slot cannot be there together: the kernel replaces one by the other. */
export function slotOf(object: KernelObject): string {
  switch (object.kind) {
    case "fdb":
      return `fdb ${object.mac} dev ${object.link}`;
    case "neighbour":
      return `neigh ${object.address} dev ${object.link}`;
    case "route":
      return `route ${object.destination} table ${object.table}`;
    case "address":
    case "rule":
      return formatObject(object);
  }
}

export const formatChange = (change: ObjectChange): string => `${change.verb} ${formatObject(change.object)}`;
