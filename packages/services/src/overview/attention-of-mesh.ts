import type { Mesh } from "../networks/describe-mesh.ts";
import type { Attention } from "./attention.ts";

const HREF = "/networks?tab=mesh";

/**
 * Pairs of hosts that do not reach each other though both are there, and networks whose packets do not fit between two. What a host that
 * is away said last counts for nothing: that it is away is said elsewhere. Pure.
 */
export function attentionOfMesh({ hosts, pairs, mtuProblems }: Mesh): Attention[] {
  const names = new Map(hosts.filter(({ isOnline, standing }) => isOnline && standing !== "down").map(({ id, name }) => [id, name]));
  const down = pairs.filter(({ from, to, state, isStale }) => state === "down" && !isStale && names.has(from) && names.has(to));
  const keys = new Set(down.map(({ from, to }) => `${from} ${to}`));
  const unreachable = down.flatMap(({ from, to }): Attention[] => {
    const isBothWays = keys.has(`${to} ${from}`);
    // Said once for both ways.
    if (isBothWays && from > to) return [];
    const values = { from: names.get(from) ?? from, to: names.get(to) ?? to, isBothWays };
    return [{ code: "unreachable", severity: "critical", ...values, href: HREF, since: null }];
  });
  const tooLarge = mtuProblems.map(({ network, from, to, needsBytes, pathMtuBytes }): Attention => {
    const ends = { from: nameOf(hosts, from), to: nameOf(hosts, to) };
    const href = `/networks/${encodeURIComponent(network)}`;
    return { code: "mtuTooLarge", severity: "warning", network, ...ends, needsBytes, pathMtuBytes, href, since: null };
  });
  return [...unreachable, ...tooLarge];
}

function nameOf(hosts: Mesh["hosts"], id: string): string {
  return hosts.find((host) => host.id === id)?.name ?? id;
}
