import { meshComposer } from "../networks/compose-mesh.ts";
import { networkComposer, refusalComposer } from "../networks/compose-network.ts";
import { credentialsComposer } from "../registry/compose-credentials.ts";
import { networkServiceComposer } from "../stacks/compose-services.ts";
import { replicaComposer, stackFileComposer } from "../stacks/compose-replicas.ts";
import { guardComposer } from "../guards/compose-guards.ts";
import type { HostComposer } from "../context.ts";

/**
 * Everything that a host's desired state is made of. In this order: what others need comes after them, so that what was committed before
 * them is read with them.
 */
export const HOST_COMPOSERS: readonly HostComposer[] = [
  replicaComposer,
  stackFileComposer,
  credentialsComposer,
  guardComposer,
  networkComposer,
  networkServiceComposer,
  refusalComposer,
  meshComposer,
];
