// How the mesh is shown: which sign a pair gets, what is worst, where things stand on the map. Pure.
import type { Tone } from "@/lib/container-state.ts";

/** Of a pair, one way. `none`: nothing is known. */
export type PairSign = "ok" | "slow" | "lossy" | "narrow" | "shut" | "down" | "stale" | "unknown" | "none";

export type MeshPair = {
  from: string;
  to: string;
  state: "unknown" | "up" | "down";
  isStale: boolean;
  rttP50Micros: number | null;
  lossPerMille: number;
  pathMtuBytes: number | null;
  isNarrow: boolean;
  /** Only packets of networks are kept away. */
  isShut: boolean;
};

/** A path that takes longer is still a path; between machines that share containers' traffic it deserves a look. */
const SLOW_MICROS = 50_000;
/** TCP suffers from here on. */
const LOSSY_PER_MILLE = 10;

export const PAIR_TONES: Readonly<Record<PairSign, Tone>> = {
  ok: "ok",
  slow: "warn",
  lossy: "warn",
  narrow: "warn",
  shut: "bad",
  down: "bad",
  stale: "idle",
  unknown: "idle",
  none: "idle",
};

/** The worst that can be said of a pair. */
export function signOf(pair: MeshPair | undefined): PairSign {
  if (pair === undefined) return "none";
  if (pair.isStale) return "stale";
  if (pair.state !== "up") return pair.state;
  if (pair.isShut) return "shut";
  if (pair.lossPerMille >= LOSSY_PER_MILLE) return "lossy";
  if (pair.isNarrow) return "narrow";
  return (pair.rttP50Micros ?? 0) >= SLOW_MICROS ? "slow" : "ok";
}

/** Worst first. */
const SEVERITY: readonly PairSign[] = ["down", "shut", "lossy", "narrow", "slow"];

/** What somebody should look at. */
export const isTrouble = (sign: PairSign): boolean => SEVERITY.includes(sign);

/** `0.4 ms`, `12 ms`, `1.2 s`; never longer than seven characters. */
export function formatRtt(micros: number | null): string {
  if (micros === null) return "–";
  const millis = micros / 1_000;
  if (millis >= 1_000) return `${(millis / 1_000).toFixed(1)} s`;
  return `${millis >= 10 ? Math.round(millis) : millis.toFixed(millis >= 1 ? 1 : 2)} ms`;
}

/** `0.5%`; whole numbers from one on. */
export const formatLoss = (perMille: number): string => `${perMille < 10 ? (perMille / 10).toFixed(1) : Math.round(perMille / 10)}%`;

export type Trouble =
  | { kind: "network"; key: string; network: string; from: string; to: string; needsBytes: number; pathMtuBytes: number }
  | { kind: "pair"; key: string; sign: PairSign; from: string; to: string; isBothWays: boolean; pair: MeshPair };

type TroubleInput = {
  pairs: readonly MeshPair[];
  mtuProblems: readonly { networkId: string; network: string; from: string; to: string; needsBytes: number; pathMtuBytes: number }[];
};

/**
 * What somebody should look at, each matter once: both ways of a pair are one, and a narrow path that troubles a network is the
 * network's. Cut paths first.
 */
export function listTrouble({ pairs, mtuProblems }: TroubleInput): Trouble[] {
  const ends = (given: { from: string; to: string }): string => [given.from, given.to].toSorted().join(" ");
  const networks = new Map<string, Trouble>();
  for (const problem of mtuProblems.toSorted((a, b) => a.pathMtuBytes - b.pathMtuBytes)) {
    const key = `${problem.networkId} ${ends(problem)}`;
    if (!networks.has(key)) networks.set(key, { kind: "network", ...problem, key });
  }
  const told = new Set(mtuProblems.map(ends));
  const found = new Map<string, Trouble & { kind: "pair" }>();
  for (const pair of pairs) {
    const sign = signOf(pair);
    if (!isTrouble(sign) || (sign === "narrow" && told.has(ends(pair)))) continue;
    const key = `${sign} ${ends(pair)}`;
    const before = found.get(key);
    if (before === undefined) found.set(key, { kind: "pair", key, sign, from: pair.from, to: pair.to, isBothWays: false, pair });
    else found.set(key, { ...before, isBothWays: true, pair: worse(before.pair, pair) });
  }
  const rank = (each: Trouble): number => (each.kind === "network" ? 1.5 : SEVERITY.indexOf(each.sign));
  return [...networks.values(), ...found.values()].toSorted((a, b) => rank(a) - rank(b));
}

/** The one whose figures are worse. */
function worse(a: MeshPair, b: MeshPair): MeshPair {
  if (a.lossPerMille !== b.lossPerMille) return a.lossPerMille > b.lossPerMille ? a : b;
  if (a.pathMtuBytes !== b.pathMtuBytes) return (a.pathMtuBytes ?? 0) < (b.pathMtuBytes ?? 0) ? a : b;
  return (a.rttP50Micros ?? 0) > (b.rttP50Micros ?? 0) ? a : b;
}

export const pairKey = (from: string, to: string): string => `${from} ${to}`;

export type MapHost = { id: string; name: string; x: number };
export type MapArc = { key: string; from: string; to: string; path: string; sign: PairSign; label: { x: number; y: number } };
export type MapRow = { id: string; y: number; fromX: number; toX: number; dots: { x: number; members: number }[] };
export type MeshMap = { width: number; height: number; hostsY: number; hosts: MapHost[]; arcs: MapArc[]; rows: MapRow[] };

export const MAP = { host: { width: 116, height: 52 }, gap: 28, left: 16, row: 52, arc: 26 } as const;

type MapInput = {
  hosts: readonly { id: string; name: string }[];
  pairs: readonly MeshPair[];
  networks: readonly { id: string; hosts: readonly { id: string; members: number }[] }[];
};

/** Hosts in a row; above them an arc for each pair that is not well; below them a line per network, with a dot where it has members. */
export function layOutMap({ hosts, pairs, networks }: MapInput): MeshMap {
  const step = MAP.host.width + MAP.gap;
  const placed = hosts.map(({ id, name }, index) => ({ id, name, x: MAP.left + index * step + MAP.host.width / 2 }));
  const xOf = new Map(placed.map(({ id, x }) => [id, x]));
  const order = new Map(hosts.map(({ id }, index) => [id, index]));
  const worst = worstByPair(pairs, order);
  const span = Math.max(0, ...worst.map(({ from, to }) => Math.abs((order.get(from) ?? 0) - (order.get(to) ?? 0))));
  const hostsY = worst.length === 0 ? 12 : 26 + span * MAP.arc;
  const arcs = worst.map(({ from, to, sign }) => makeArc({ from, to, sign, fromX: xOf.get(from) ?? 0, toX: xOf.get(to) ?? 0, y: hostsY, rise: Math.abs((order.get(from) ?? 0) - (order.get(to) ?? 0)) * MAP.arc })); // prettier-ignore
  const rows = networks.map((network, index) => makeRow(network, { xOf, y: hostsY + MAP.host.height + 44 + index * MAP.row }));
  const width = MAP.left * 2 + placed.length * step - MAP.gap;
  return { width, height: hostsY + MAP.host.height + 28 + rows.length * MAP.row, hostsY, hosts: placed, arcs, rows };
}

/** Both ways as one, the worse of them. */
function worstByPair(pairs: readonly MeshPair[], order: ReadonlyMap<string, number>): { from: string; to: string; sign: PairSign }[] {
  const found = new Map<string, { from: string; to: string; sign: PairSign }>();
  for (const pair of pairs) {
    const sign = signOf(pair);
    const [from = "", to = ""] = [pair.from, pair.to].toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    if (!isTrouble(sign) || !order.has(from) || !order.has(to)) continue;
    const before = found.get(pairKey(from, to));
    if (before === undefined || SEVERITY.indexOf(sign) < SEVERITY.indexOf(before.sign)) found.set(pairKey(from, to), { from, to, sign });
  }
  return [...found.values()];
}

function makeArc(given: { from: string; to: string; sign: PairSign; fromX: number; toX: number; y: number; rise: number }): MapArc {
  const { from, to, sign, fromX, toX, y, rise } = given;
  const middle = (fromX + toX) / 2;
  // A quadratic curve passes halfway between its ends and its control point.
  return {
    key: `${from} ${to}`,
    from,
    to,
    sign,
    path: `M ${fromX} ${y} Q ${middle} ${y - 2 * rise} ${toX} ${y}`,
    label: { x: middle, y: y - rise },
  };
}

function makeRow(network: MapInput["networks"][number], at: { xOf: ReadonlyMap<string, number>; y: number }): MapRow {
  const dots = network.hosts.flatMap(({ id, members }) => {
    const x = at.xOf.get(id);
    return x === undefined ? [] : [{ x, members }];
  });
  const xs = dots.map(({ x }) => x);
  return { id: network.id, y: at.y, fromX: Math.min(...xs), toX: Math.max(...xs), dots };
}
