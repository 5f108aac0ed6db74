import { meshComposer } from "../networks/compose-mesh.ts";
import { networkComposer, refusalComposer } from "../networks/compose-network.ts";
import { credentialsComposer } from "../registry/compose-credentials.ts";
import { networkServiceComposer } from "../stacks/compose-services.ts";
import { replicaComposer, stackFileComposer } from "../stacks/compose-replicas.ts";
import type { HostComposer } from "../context.ts";

/** Everything that a host's desired state is made of. */
export const HOST_COMPOSERS: readonly HostComposer[] = [
  credentialsComposer,
  networkComposer,
  refusalComposer,
  meshComposer,
  networkServiceComposer,
  stackFileComposer,
  replicaComposer,
];
