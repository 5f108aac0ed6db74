import { readFileSync } from "node:fs";
import { findSource, tryTcp, tryUdp } from "../host/try-port.ts";
import type { Mesh } from "../mesh/create-mesh.ts";
import { Reach, type ReachDeps } from "./reach.ts";
import { resolveInside } from "./resolve-inside.ts";

export type CreateReachDeps = {
  containers: { get: ReachDeps["getContainer"] };
  networks: { reachNetworks: ReachDeps["networksOf"] };
  mesh: Pick<Mesh, "views">;
};

export function createReach({ containers, networks, mesh }: CreateReachDeps): Reach {
  return new Reach({
    getContainer: (namespace, ref) => containers.get(namespace, ref),
    networksOf: (containerId) => networks.reachNetworks(containerId),
    peers: () => mesh.views(),
    resolve: resolveInside,
    findSource,
    tryPort: (protocol, target) => (protocol === "tcp" ? tryTcp(target) : tryUdp(target)),
    readSockets: (pid, protocol) => [protocol, `${protocol}6`].map((file) => readProc(`/proc/${pid}/net/${file}`)),
  });
}

/** "" when the process is gone, or the kernel has no IPv6. */
function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
