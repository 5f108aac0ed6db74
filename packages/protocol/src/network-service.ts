// Services of overlay networks in desired state: a resource `network-service/<network id>/<service id>` each, so that a change of
// one of ten thousand is sent, parsed, planned and programmed alone.
import { z } from "zod";
import { networkId } from "./overlay-state.ts";

/** Kind of these resources. */
export const NETWORK_SERVICE_KIND = "network-service";
/** A backend takes one slot of this many per unit of weight. */
export const MAX_SLOTS = 256;

const address = z.union([z.ipv4(), z.ipv6()]);
const port = z.int().min(1).max(65_535);
const protocol = z.enum(["tcp", "udp"]);

const backend = z.object({
  address,
  /** 0: gets nothing new, what is established goes on (draining). */
  weight: z.int().min(0).max(16),
});

export const networkService = z.object({
  /** The network that it is on. */
  networkId,
  /** Part of the resource's key. */
  id: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*$/),
  /** Names that containers of the network find it by; `tasks.<name>` are its backends. */
  names: z.array(z.string().min(1).max(200)).max(64),
  /** Virtual addresses, no other service's; empty for a service that DNS alone spreads. */
  addresses: z.array(address).max(2),
  /** `port` on the virtual address, `targetPort` on the backends, `publishedPort` on every host (null: on none). */
  ports: z.array(z.object({ protocol, port, targetPort: port, publishedPort: port.nullable() })).max(256),
  affinity: z.enum(["none", "client-ip"]),
  backends: z.array(backend).max(MAX_SLOTS),
});
export type NetworkService = z.output<typeof networkService>;

/** What the id of a service's resource is: that of its network and its own. */
export const serviceResourceId = (service: Pick<NetworkService, "networkId" | "id">): string => `${service.networkId}/${service.id}`;

/** What is contradictory in a service, as a sentence; undefined when nothing is. */
export function findServiceContradiction(service: NetworkService): string | undefined {
  const slots = service.backends.reduce((sum, { weight }) => sum + weight, 0);
  if (slots > MAX_SLOTS) return `it has more than ${MAX_SLOTS} slots`;
  const ports = service.ports.flatMap((each) => [
    `${each.port}/${each.protocol}`,
    ...(each.publishedPort === null ? [] : [`published port ${each.publishedPort}/${each.protocol}`]),
  ]);
  const twice = ports.find((text, index) => ports.indexOf(text) !== index);
  return twice === undefined ? undefined : `${twice} is given twice`;
}
