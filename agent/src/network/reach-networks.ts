import type { OverlayDriver } from "../overlay/overlay-driver.ts";
import { routerPath } from "../overlay/names.ts";
import { embed } from "../overlay/prefixes.ts";
import type { ReachNetwork } from "../reach/reach-plan.ts";
import type { EndpointRow, NetworkRow, NetworkStore } from "./network-store.ts";

export type ReachNetworksDeps = { store: NetworkStore; overlay: OverlayDriver; runDir: string };

/** The networks of a container, in the order of its interfaces, with what lies behind them. */
export function readReachNetworks(deps: ReachNetworksDeps, containerId: string): ReachNetwork[] {
  const endpoints = deps.store.endpoints().filter((endpoint) => endpoint.container_id === containerId);
  return endpoints
    .toSorted((a, b) => a.position - b.position)
    .flatMap((endpoint) => {
      const network = deps.store.findNetwork(endpoint.network_id);
      return network === undefined ? [] : [toReachNetwork(deps, network, endpoint)];
    });
}

function toReachNetwork({ overlay, runDir }: ReachNetworksDeps, network: NetworkRow, endpoint: EndpointRow): ReachNetwork {
  const { id, name, driver } = network;
  const base = { id, name, driver, address: endpoint.address, gateway: network.gateway };
  if (driver !== "overlay" || !overlay.knows(id)) return { ...base, address6: endpoint.address6, overlay: undefined };
  const { state } = overlay.row(id);
  const address6 = state.subnet6 === null ? "" : embed(state.subnet6, endpoint.address);
  const way = { state, services: [...overlay.services(id).values()], mtuBytes: mtuOf(overlay, state) };
  return { ...base, address6, overlay: { ...way, routerPath: routerPath(runDir, state.vni) } };
}

/** 0: this host cannot carry the network, which it says elsewhere. */
function mtuOf(overlay: OverlayDriver, state: Parameters<OverlayDriver["mtuBytes"]>[0]): number {
  try {
    return overlay.mtuBytes(state);
  } catch {
    return 0;
  }
}
