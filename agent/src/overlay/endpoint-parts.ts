// What containers are in a router's table: elements of its sets that say where addresses are. Pure. Each is planned when it comes and then kept, so
// that one more costs the same however many there are.
import { canonicalIp } from "../host/ip-bytes.ts";
import { familyOf } from "./prefixes.ts";
import type { LocalEndpoint } from "./router-plan.ts";
import type { PartChanges, TablePart } from "./service-parts.ts";

/** What one container is in a table. */
export type EndpointPart = TablePart & { endpoint: LocalEndpoint };

export function planEndpointPart(endpoint: LocalEndpoint): EndpointPart {
  const elements = new Map<string, ReadonlyMap<string, string>>();
  for (const given of [endpoint.address, endpoint.address6]) {
    if (given === "") continue;
    const address = canonicalIp(given);
    const suffix = familyOf(address) === 6 ? "6" : "";
    elements.set(`members${suffix}`, new Map([[`"${endpoint.link}" . ${address}`, ""]]));
    elements.set(`pairs${suffix}`, new Map([[`${address} . ${address}`, ""]]));
    elements.set(`local${suffix}`, new Map([[address, ""]]));
  }
  return { endpoint, servers: [], elements };
}

/** What differs between the parts that are loaded, by link, and the endpoints that shall be. */
export function planEndpointChanges(
  parts: ReadonlyMap<string, EndpointPart>,
  endpoints: readonly LocalEndpoint[],
): PartChanges<EndpointPart> {
  const gone: EndpointPart[] = [];
  const come: EndpointPart[] = [];
  const links = new Set<string>();
  for (const endpoint of endpoints) {
    links.add(endpoint.link);
    const part = parts.get(endpoint.link);
    if (part !== undefined && isSame(part.endpoint, endpoint)) continue;
    if (part !== undefined) gone.push(part);
    come.push(planEndpointPart(endpoint));
  }
  for (const [link, part] of parts) if (!links.has(link)) gone.push(part);
  return { gone, come };
}

const isSame = (a: LocalEndpoint, b: LocalEndpoint): boolean => a === b || (a.address === b.address && a.address6 === b.address6);
