import { FlotillaError, isFlotillaError, isHexName } from "@flotilla/core";
import { parseReference, withDefaultTag } from "@flotilla/image";
import { REPLICA_LABEL } from "@flotilla/protocol";
import { goArchitecture } from "../storage/go-architecture.ts";
import type { Distribution } from "../distribution/create-distribution.ts";
import type { ProgressMessage } from "../distribution/progress-stream.ts";
import type { Containers } from "../engine/containers-port.ts";
import type { ImageStore, NetworkManager } from "../engine/ports.ts";
import type { ReplicaEngine } from "./replica-ports.ts";

type Engine = {
  containers: Containers;
  networks: Pick<NetworkManager, "resolve">;
  images: Pick<ImageStore, "resolve">;
  distribution: Pick<Distribution, "stagePull">;
};

/** The engine as the replicas need it: what is done already is done. */
export function replicaEngine({ containers, networks, images, distribution }: Engine): ReplicaEngine {
  return {
    ofReplicas: (id) => containers.labelled(REPLICA_LABEL, id),
    find: (namespace, id) => {
      const view = isThere(() => containers.get(namespace, id)) ? containers.get(namespace, id) : undefined;
      return view?.id === id ? view : undefined;
    },
    // Whoever deployed it: guard rails bind every service of the namespace.
    create: (request) => containers.create({ ...request, isExempt: false }),
    adopt: (namespace, id, labels) => containers.adopt(namespace, id, labels),
    start: (namespace, id) => unless("not_modified", containers.start(namespace, id)),
    stop: (namespace, id) => unless("not_modified", containers.stop(namespace, id, {})),
    remove: (namespace, id) => unless("not_found", containers.remove(namespace, id, { force: true, volumes: true, link: false })),
    hasNetwork: (namespace, name) => isThere(() => networks.resolve(namespace, name)),
    hasImage: (namespace, image) => hasImage(images, { namespace, image }),
    pull: ({ namespace, image, signal, progress }) => pull(distribution, { namespace, image, signal, progress }),
  };
}

async function unless(code: "not_modified" | "not_found", work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isFlotillaError(error, code)) throw error;
  }
}

function isThere(resolve: () => unknown): boolean {
  try {
    resolve();
    return true;
  } catch (error) {
    if (isFlotillaError(error, "not_found")) return false;
    throw error;
  }
}

/** An image whose id merely begins like the name is another. */
function hasImage(images: Engine["images"], { namespace, image }: { namespace: string; image: string }): boolean {
  try {
    const { id, reference } = images.resolve(namespace, image);
    return !isHexName(image) || reference !== id;
  } catch (error) {
    // Several ids begin like the name.
    if (isFlotillaError(error, "not_found") || (isHexName(image) && isFlotillaError(error, "invalid"))) return false;
    throw error;
  }
}

type Pull = Parameters<ReplicaEngine["pull"]>[0];

async function pull(distribution: Pick<Distribution, "stagePull">, { namespace, image, signal, progress }: Pull): Promise<void> {
  const reference = withDefaultTag(parseReference(image));
  const platform = { os: "linux", architecture: goArchitecture(process.arch) };
  const staged = await distribution.stagePull({ namespace, credentials: undefined, signal, reference, platform, isPlatformAsked: false });
  const layers = new Map<string, { current: number; total: number }>();
  let failure: string | undefined;
  await staged.run((message: ProgressMessage) => {
    if ("error" in message) failure = message.error;
    if (!("status" in message) || message.id === undefined) return;
    const { current = 0, total = 0 } = message.progressDetail ?? {};
    if (total === 0) return;
    layers.set(`${message.id} ${message.status}`, { current, total });
    const sums = [...layers.values()].reduce((sum, layer) => ({ current: sum.current + layer.current, total: sum.total + layer.total }));
    progress(Math.min(1, sums.current / sums.total));
  });
  if (failure !== undefined) throw new FlotillaError("unavailable", failure);
}
