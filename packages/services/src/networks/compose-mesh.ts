import { createHmac } from "node:crypto";
import { MESH_KIND, type MeshPeer, type MeshState, type ResourceBody } from "@flotilla/protocol";
import type { HostComposer } from "../context.ts";
import { reachableHosts } from "./compose-network.ts";
import { type OverlayHostRow, readTeamOverlays } from "./overlay-rows.ts";

const KEY_LABEL = "flotilla peer probes v1";

/** Whom a host probes: the other hosts of its team, whether or not there are networks; who is down follows from it. */
export const meshComposer: HostComposer = {
  kind: MESH_KIND,
  async compose({ services, host, once }) {
    const { hosts } = await once(readTeamOverlays);
    const mesh = composeMesh(hosts, { hostId: host.id, secret: services.registry.sealKey });
    return new Map<string, ResourceBody>(mesh === undefined ? [] : [["", mesh]]);
  },
};

/**
 * What one host is told of its peers. Pure. undefined: it has none. A host whose address another one has is nobody's peer,
 * and nobody is its: those who would answer it do not know it.
 */
export function composeMesh(hosts: readonly OverlayHostRow[], reader: { hostId: string; secret: Uint8Array }): MeshState | undefined {
  const self = hosts.find(({ id }) => id === reader.hostId);
  const owner = hosts.find(({ underlay }) => underlay !== null && underlay.address === self?.underlay?.address);
  if (self === undefined || owner !== self || self.underlay?.probePort == null) return undefined;
  const peers = reachableHosts(hosts, self).flatMap(({ id, number, address, underlay }): MeshPeer[] => {
    const port = underlay?.probePort;
    if (id === self.id || port == null) return [];
    const envelope = underlay?.envelopePort === undefined ? {} : { envelopePort: underlay.envelopePort };
    return [{ number, address, port, ...envelope, key: pairKey(reader.secret, [self.id, id]) }];
  });
  return peers.length === 0 ? undefined : { self: self.number, peers };
}

/** The same for both hosts, and of no use for any other pair. Not stored: a stolen database holds no key. */
function pairKey(secret: Uint8Array, ids: readonly [string, string]): string {
  return createHmac("sha256", secret)
    .update([KEY_LABEL, ...ids.toSorted()].join("\0"))
    .digest("base64url");
}
