// Who reaches whom, as a page shows it. Pure: rows in, answers out.
import { isIP } from "node:net";
import { overlayOverheadBytes, type PeerState } from "@flotilla/protocol";
import type { HostStanding } from "../hosts/judge-host.ts";
import { isEncryptedRow, type OverlayHostRow, type OverlayRows } from "./overlay-rows.ts";

export type MeshHost = {
  id: string;
  name: string;
  number: number;
  standing: HostStanding;
  downSince: string | null;
  /** Whether it has a connection to a control plane: what it says is of now. */
  isOnline: boolean;
  address: string | null;
  linkMtuBytes: number | null;
  /** It has said by what it can be probed. */
  isProbed: boolean;
};

/** What one host sees of another. `stale`: the one that sees is away, this is what it said last. */
export type MeshPair = {
  from: string;
  to: string;
  state: PeerState;
  isStale: boolean;
  rttP50Micros: number | null;
  rttLastMicros: number | null;
  lossPerMille: number;
  pathMtuBytes: number | null;
  /** A hop carries less than the links of both ends. */
  isNarrow: boolean;
  /** Probes arrive, but none at the port of VXLAN: a firewall keeps the networks' packets away. */
  isShut: boolean;
};

/** A network whose packets do not fit between two hosts. */
export type MtuProblem = { networkId: string; network: string; from: string; to: string; needsBytes: number; pathMtuBytes: number };

/** A network and the hosts that have a part in its traffic. */
export type MeshNetwork = { id: string; name: string; subnet: string; hosts: { id: string; members: number }[]; hasProblem: boolean };

export type Mesh = { hosts: MeshHost[]; pairs: MeshPair[]; networks: MeshNetwork[]; mtuProblems: MtuProblem[] };

export type LiveHostState = { standing: HostStanding; isOnline: boolean };

/** @param live by id of the host. */
export function describeMesh(rows: OverlayRows, live: ReadonlyMap<string, LiveHostState>): Mesh {
  const mtuProblems = findMtuProblems(rows);
  return {
    hosts: rows.hosts.map((host) => describeHost(host, live.get(host.id))),
    pairs: describePairs(rows, live),
    networks: rows.networks.map(({ id, name, subnet }) => ({
      id,
      name,
      subnet,
      hosts: partsOf(rows, id),
      hasProblem: mtuProblems.some(({ networkId }) => networkId === id) || saysProblem(rows, id),
    })),
    mtuProblems,
  };
}

function describeHost(host: OverlayHostRow, live: LiveHostState | undefined): MeshHost {
  return {
    id: host.id,
    name: host.name,
    number: host.number,
    standing: live?.standing ?? "down",
    downSince: host.downSince?.toISOString() ?? null,
    isOnline: live?.isOnline ?? false,
    address: host.underlay?.address ?? null,
    linkMtuBytes: host.underlay?.mtuBytes ?? null,
    isProbed: host.underlay?.probePort != null,
  };
}

function describePairs(rows: OverlayRows, live: ReadonlyMap<string, LiveHostState>): MeshPair[] {
  const byNumber = new Map(rows.hosts.map((host) => [host.number, host]));
  return rows.hosts.flatMap((from) =>
    (rows.peers.get(from.id)?.peers ?? []).flatMap(({ number, envelope, ...seen }): MeshPair[] => {
      const to = byNumber.get(number);
      if (to === undefined || to.id === from.id) return [];
      const links = [from.underlay?.mtuBytes, to.underlay?.mtuBytes].filter((mtu) => mtu !== undefined);
      const isNarrow = seen.pathMtuBytes !== null && links.length > 0 && seen.pathMtuBytes < Math.min(...links);
      return [
        {
          from: from.id,
          to: to.id,
          ...seen,
          isStale: live.get(from.id)?.isOnline !== true,
          isNarrow,
          isShut: seen.state === "up" && envelope === "down",
        },
      ];
    }),
  );
}

function partsOf(rows: OverlayRows, networkId: string): MeshNetwork["hosts"] {
  return rows.hosts.flatMap(({ id }) => {
    const members = rows.observed.get(networkId)?.get(id)?.endpoints.length ?? 0;
    return members === 0 ? [] : [{ id, members }];
  });
}

const saysProblem = (rows: OverlayRows, networkId: string): boolean =>
  [...(rows.observed.get(networkId)?.values() ?? [])].some(({ problem }) => problem !== null);

/** Networks of which a host uses larger packets than get to another one with members of it. */
export function findMtuProblems(rows: OverlayRows): MtuProblem[] {
  const byNumber = new Map(rows.hosts.map((host) => [host.number, host]));
  return rows.networks.flatMap((row) => {
    const { id: networkId, name: network } = row;
    const parts = new Set(partsOf(rows, networkId).map(({ id }) => id));
    return rows.hosts.flatMap((from) => {
      const mtuBytes = rows.observed.get(networkId)?.get(from.id)?.mtuBytes ?? 0;
      if (!parts.has(from.id) || mtuBytes === 0 || from.underlay === null) return [];
      const needsBytes = mtuBytes + overlayOverheadBytes(isIP(from.underlay.address) === 6 ? 6 : 4, isEncryptedRow(row));
      return (rows.peers.get(from.id)?.peers ?? []).flatMap(({ number, pathMtuBytes }): MtuProblem[] => {
        const to = byNumber.get(number);
        if (to === undefined || !parts.has(to.id) || pathMtuBytes === null || pathMtuBytes >= needsBytes) return [];
        return [{ networkId, network, from: from.id, to: to.id, needsBytes, pathMtuBytes }];
      });
    });
  });
}
