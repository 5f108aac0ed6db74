// What a page shows of overlay networks. Pure: rows in, answers out.
import { containsAddress, parseAddress, parseSubnet, subnetSize } from "@flotilla/core";
import type { Encryption, ObservedNetwork } from "@flotilla/protocol";
import type { HostBrief } from "../engine/ask-hosts.ts";
import { findMtuProblems } from "./describe-mesh.ts";
import { reachableHosts } from "./compose-network.ts";
import { isEncryptedRow, type OverlayHostRow, type OverlayNetworkRow, type OverlayRows, textMap } from "./overlay-rows.ts";

export type OverlaySummary = {
  id: string;
  name: string;
  driver: "overlay";
  subnet: string;
  gateway: string;
  subnet6: string | null;
  isInternal: boolean;
  isEncrypted: boolean;
  /** As it was asked for; null is what each host's underlay allows. */
  mtuBytes: number | null;
  /** The smallest that a host uses; null while none has said. */
  smallestMtuBytes: number | null;
  members: number;
  /** Blocks that hosts hold, of all that they could. */
  pool: { leased: number; total: number };
  /** Hosts on which it does not work. */
  problems: number;
  createdAt: string;
};

/** Why a host has no part in a network, or none that works, in words of the page's own; `reported` carries the host's. */
export type OverlayProblem =
  | { code: "noUnderlay" | "noBlock" | "noEncryption" | "offline" | "silent" }
  | { code: "sameAddress"; host: string }
  /** Its packets need so many bytes on the way to another host, which carries fewer. */
  | { code: "pathMtu"; host: string; needsBytes: number; pathMtuBytes: number }
  | { code: "reported"; message: string };

export type OverlayHost = HostBrief & {
  underlay: string | null;
  underlayMtuBytes: number | null;
  mtuBytes: number | null;
  /** By what it can encrypt; null while it has not said. */
  encryption: Encryption | null;
  blocks: { cidr: string; used: number; size: number; isResting: boolean }[];
  problems: OverlayProblem[];
};

export type OverlayMemberRow = {
  host: HostBrief;
  containerId: string;
  containerName: string;
  address: string;
  address6: string | null;
  aliases: string[];
};

export type OverlayDetail = OverlaySummary & {
  vni: number;
  addressRange: string | null;
  labels: Record<string, string>;
  options: Record<string, string>;
  hosts: OverlayHost[];
  memberRows: OverlayMemberRow[];
};

export function summariseOverlay(network: OverlayNetworkRow, rows: OverlayRows): OverlaySummary {
  const said = [...(rows.observed.get(network.id)?.values() ?? [])];
  const range = parseSubnet(network.addressRange ?? network.subnet);
  const reserved = network.leases.filter(({ kind, cidr }) => kind === "reserved" && containsAddress(range, parseSubnet(cidr).first)).length;
  const mtus = said.map(({ mtuBytes }) => mtuBytes).filter((mtu) => mtu > 0);
  return {
    id: network.id,
    name: network.name,
    driver: "overlay",
    subnet: network.subnet,
    gateway: network.gateway,
    subnet6: network.subnet6,
    isInternal: network.isInternal,
    isEncrypted: isEncryptedRow(network),
    mtuBytes: network.mtuBytes,
    smallestMtuBytes: mtus.length === 0 ? null : Math.min(...mtus),
    members: said.reduce((sum, { endpoints }) => sum + endpoints.length, 0),
    pool: {
      leased: network.leases.filter(({ kind }) => kind === "block").length,
      total: subnetSize(range) / 2 ** (32 - network.blockLength) - reserved,
    },
    problems: rows.hosts.filter((host) => isBroken(problemsOf(network, rows, host))).length,
    createdAt: network.createdAt.toISOString(),
  };
}

/** A host that is away is a matter of the host; what is here is a matter of the network. */
function isBroken(problems: readonly OverlayProblem[]): boolean {
  return problems.some(({ code }) => code !== "offline" && code !== "silent");
}

export function detailOverlay(network: OverlayNetworkRow, rows: OverlayRows): OverlayDetail {
  return {
    ...summariseOverlay(network, rows),
    vni: network.vni,
    addressRange: network.addressRange,
    labels: textMap.parse(network.labels),
    options: textMap.parse(network.options),
    hosts: rows.hosts.map((host) => describeHost(network, rows, host)),
    memberRows: rows.hosts.flatMap((host) => describeMembers(host, rows.observed.get(network.id)?.get(host.id))),
  };
}

function describeHost(network: OverlayNetworkRow, rows: OverlayRows, host: OverlayHostRow): OverlayHost {
  const said = rows.observed.get(network.id)?.get(host.id);
  const addresses = (said?.endpoints ?? []).map(({ address }) => parseAddress(address));
  const blocks = network.leases.filter(({ kind, hostId }) => kind !== "reserved" && hostId === host.id);
  return {
    id: host.id,
    name: host.name,
    underlay: host.underlay?.address ?? null,
    underlayMtuBytes: host.underlay?.mtuBytes ?? null,
    mtuBytes: said === undefined || said.mtuBytes === 0 ? null : said.mtuBytes,
    encryption: host.underlay?.encryption ?? null,
    blocks: blocks.map(({ cidr, releasedAt }) => {
      const block = parseSubnet(cidr.includes("/") ? cidr : `${cidr}/32`);
      const used = addresses.filter((address) => containsAddress(block, address)).length;
      return { cidr, used, size: subnetSize(block), isResting: releasedAt !== null };
    }),
    problems: problemsOf(network, rows, host),
  };
}

function problemsOf(network: OverlayNetworkRow, rows: OverlayRows, host: OverlayHostRow): OverlayProblem[] {
  const said = rows.observed.get(network.id)?.get(host.id);
  const problems: OverlayProblem[] = [];
  if (host.downSince !== null) problems.push({ code: "offline" });
  if (host.underlay === null) problems.push({ code: "noUnderlay" });
  const twin = rows.hosts.find((other) => other.number < host.number && other.underlay?.address === host.underlay?.address);
  if (twin !== undefined && host.underlay !== null && reachableHosts(rows.hosts, host).some(({ id }) => id === host.id))
    problems.push({ code: "sameAddress", host: twin.name });
  if (!network.leases.some(({ kind, hostId, releasedAt }) => kind === "block" && hostId === host.id && releasedAt === null))
    problems.push({ code: "noBlock" });
  for (const { to, needsBytes, pathMtuBytes } of findMtuProblems({ ...rows, networks: [network] }).filter(({ from }) => from === host.id))
    problems.push({ code: "pathMtu", host: rows.hosts.find(({ id }) => id === to)?.name ?? to, needsBytes, pathMtuBytes });
  if (isEncryptedRow(network) && host.underlay?.encryption === "none") problems.push({ code: "noEncryption" });
  else if (said?.problem != null) problems.push({ code: "reported", message: said.problem });
  else if (said === undefined && host.downSince === null && host.underlay !== null) problems.push({ code: "silent" });
  return problems;
}

function describeMembers(host: OverlayHostRow, said: ObservedNetwork | undefined): OverlayMemberRow[] {
  return (said?.endpoints ?? [])
    .map(({ containerId, containerName, address, address6, aliases }) => ({
      host: { id: host.id, name: host.name },
      containerId,
      containerName,
      address,
      address6,
      aliases,
    }))
    .toSorted((a, b) => parseAddress(a.address) - parseAddress(b.address));
}
