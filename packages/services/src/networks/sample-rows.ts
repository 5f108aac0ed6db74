// Rows of overlay networks for unit tests.
import { observedNetwork, type ObservedNetwork } from "@flotilla/protocol";
import type { OverlayHostRow, OverlayNetworkRow } from "./overlay-rows.ts";

export const NETWORK_ID = "a".repeat(64);

/** A host with that underlay address; null: it has not said. */
export const sampleHost = (number: number, address: string | null, more: Partial<OverlayHostRow> = {}): OverlayHostRow => ({
  id: `host-${number}`,
  name: `h${number}`,
  number,
  downSince: null,
  underlay:
    address === null
      ? null
      : { address, mtuBytes: 1500, routes: [], probePort: null, encryption: "none", encryptionLack: null, tunnels: [] },
  ...more,
});

export const sampleLease = (
  kind: "block" | "pin" | "reserved",
  where: { hostId: string | null; cidr: string },
  releasedAt: Date | null = null,
) => ({ id: where.cidr, networkId: NETWORK_ID, kind, ...where, leasedAt: new Date(0), releasedAt });

export const sampleOverlay = (more: Partial<OverlayNetworkRow> = {}): OverlayNetworkRow => ({
  id: NETWORK_ID,
  teamId: "t",
  name: "web",
  vni: 4097,
  subnet: "10.64.0.0/20",
  gateway: "10.64.0.1",
  addressRange: null,
  subnet6: null,
  blockLength: 28,
  mtuBytes: null,
  isInternal: false,
  isAttachable: true,
  labels: { tier: "web" },
  options: {},
  createdAt: new Date(5),
  leases: [],
  tombstones: [],
  ...more,
});

/** What a host says of its part: containers by name with their addresses. */
export const sampleObserved = (containers: Readonly<Record<string, string>>, more: Partial<ObservedNetwork> = {}): ObservedNetwork =>
  observedNetwork.parse({
    mtuBytes: 1450,
    problem: null,
    endpoints: Object.entries(containers).map(([name, address]) => ({
      id: "e",
      containerId: `c-${name}`,
      containerName: name,
      address,
      address6: null,
      macAddress: "02:42:00:00:00:01",
      aliases: [`${name}-alias`],
    })),
    ...more,
  });
