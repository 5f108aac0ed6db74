// The nftables table of one router. Pure. Its rules are fixed; what changes are elements of sets and maps, so that a change
// of a service costs a transaction of a few elements however many services there are.
import type { NetworkState } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import { canEncode, formatSetChange, type SetChange } from "../host/nft-messages.ts";
import { ROUTER_TABLE, VXLAN_LINK, vtepMac } from "./names.ts";
import { familyOf } from "./prefixes.ts";
import { nodeAddress, type RouterInput } from "./router-plan.ts";
import { NO_CHANGES, planChains, planElements, type Elements, type PartChanges, type TablePart } from "./service-parts.ts";
import type { VirtualServer } from "./virtual-servers.ts";

export type RouterTable = {
  /** Set or map name → its declaration. */
  sets: ReadonlyMap<string, string>;
  /** Set or map name → elements: key, and value for a map. */
  elements: Elements;
  /** Chain of a number of slots → its one rule. Chains are added when they are first needed, and stay. */
  slotChains: ReadonlyMap<string, string>;
  /** Base chains, as text. */
  chains: string;
};

const SETS: readonly [string, string][] = [
  ["set members", "type ifname . ipv4_addr"],
  ["set members6", "type ifname . ipv6_addr"],
  ["set local", "type ipv4_addr"],
  ["set local6", "type ipv6_addr"],
  ["set vteps", "type ether_addr"],
  ["set pairs", "type ipv4_addr . ipv4_addr"],
  ["set pairs6", "type ipv6_addr . ipv6_addr"],
  ["set vips", "type ipv4_addr"],
  ["set vips6", "type ipv6_addr"],
  ["set dead", "type ipv4_addr"],
  ["set dead6", "type ipv6_addr"],
  ["set isolated", "type ipv4_addr"],
  ["set allow", "type ipv4_addr . ipv4_addr . inet_proto . inet_service"],
  ["map entry", "type ether_addr : mark"],
  ["map svc", "type ipv4_addr . inet_proto . inet_service : verdict"],
  ["map svc6", "type ipv6_addr . inet_proto . inet_service : verdict"],
  // A random number in a key needs the typeof form. One map for each protocol: nft 1.0.6 refuses a later rule on a map that
  // was declared with `th dport` ("conflicting protocols"), and takes `tcp dport` for TCP only.
  ["map eps_tcp", "typeof ip daddr . tcp dport . numgen inc mod 256 : ip daddr . tcp dport"],
  ["map eps_udp", "typeof ip daddr . udp dport . numgen inc mod 256 : ip daddr . udp dport"],
  ["map eps_tcp6", "typeof ip6 daddr . tcp dport . numgen inc mod 256 : ip6 daddr . tcp dport"],
  ["map eps_udp6", "typeof ip6 daddr . udp dport . numgen inc mod 256 : ip6 daddr . udp dport"],
];

/** Types of the sets' keys; of maps none, as their elements have values too. */
const TYPES: ReadonlyMap<string, string> = new Map(
  SETS.flatMap(([name, type]) => (name.startsWith("set ") ? [[name.slice("set ".length), type.slice("type ".length)] as const] : [])),
);

/** All but services and containers, whose parts are planned one by one. @param servers what is published, with at least one slot each. */
export function planTable({ state, published }: RouterInput, servers: readonly VirtualServer[]): RouterTable {
  const ofFamily = (addresses: readonly string[], family: 4 | 6): ReadonlyMap<string, string> =>
    keys(addresses.filter((address) => familyOf(address) === family));
  const peers = state.hosts.filter((host) => host.number !== state.self).map((host) => host.number);
  const dead = state.dead.map(canonicalIp);
  return {
    sets: new Map(SETS),
    elements: new Map([
      ["dead", ofFamily(dead, 4)],
      ["dead6", ofFamily(dead, 6)],
      ["vteps", keys(peers.map(vtepMac))],
      ["entry", new Map(published.length > 0 ? peers.map((host) => [vtepMac(host), String(host)]) : [])],
      ["isolated", keys(state.isolated)],
      ["allow", keys(state.allow.map((rule) => `${rule.from} . ${rule.to} . ${rule.protocol} . ${rule.port}`))],
      ...planElements(servers),
    ]),
    slotChains: new Map(planChains(servers)),
    chains: baseChains(state, published.length > 0),
  };
}

const keys = (list: readonly string[]): Map<string, string> => new Map(list.map((key) => [key, ""]));

function baseChains(state: NetworkState, isPublishing: boolean): string {
  const hook = (name: string, type: string, rules: readonly string[]): string =>
    [`  chain ${name} {`, `    type ${type}; policy accept;`, ...rules.map((rule) => `    ${rule}`), "  }"].join("\n");
  return [
    "  chain fl_refuse {\n    meta l4proto tcp reject with tcp reset\n    reject\n  }",
    ...GUARDS.map(([name, rules]) => [`  chain ${name} {`, ...rules.map((rule) => `    ${rule}`), "  }"].join("\n")),
    // Each hook and each rule is paid for by every packet: those of one kind of link are gone through by its own packets only.
    hook(
      "fl_guard",
      "filter hook prerouting priority raw",
      GUARDS.map(([name, , link]) => `iifname "${link}" goto ${name}`),
    ),
    ...(isPublishing ? [hook("fl_entry", "filter hook prerouting priority mangle", entryRules(state))] : []),
    // A chain of translation sees the first packet of a flow only. What is not translated to a backend by then has none.
    hook("fl_balance", "nat hook prerouting priority dstnat", [
      "ip daddr . meta l4proto . th dport vmap @svc",
      "ip6 daddr . meta l4proto . th dport vmap @svc6",
      ...VIPS,
    ]),
    hook("fl_forward", "filter hook forward priority filter", FORWARD),
    hook("fl_source", "nat hook postrouting priority srcnat", sourceRules(state)),
  ].join("\n");
}

/** Nobody sends with another's address: neither a container, nor another host in the name of a container of this one. */
const GUARDS: readonly (readonly [chain: string, rules: readonly string[], link: string])[] = [
  ["fl_from_hosts", ["ether saddr != @vteps drop", "ip saddr @local drop", "ip6 saddr @local6 drop"], VXLAN_LINK],
  ["fl_from_containers", ["iifname . ip saddr != @members drop", "iifname . ip6 saddr != @members6 drop"], "c*"],
];

/** An address of a service that nobody answers for. */
const VIPS: readonly string[] = ["ip daddr @vips goto fl_refuse", "ip6 daddr @vips6 goto fl_refuse"];

const FORWARD: readonly string[] = [
  "ip daddr @dead goto fl_refuse",
  "ip6 daddr @dead6 goto fl_refuse",
  "ct state established,related accept",
  // Packets of no flow were not seen by the chain of translation.
  ...VIPS,
  "ip daddr @isolated ip saddr . ip daddr . meta l4proto . th dport @allow accept",
  "ip daddr @isolated drop",
  // From the host come answers and published ports, nothing else.
  `iifname "up0" ct status dnat accept`,
  `iifname "up0" drop`,
];

/** A caller from outside has an address that is not of the network. */
const entryRules = (state: NetworkState): string[] => [
  `iifname "vx0" ct state new ip saddr != ${state.subnet} ct mark set ether saddr map @entry`,
  `iifname "c*" ct direction reply ct mark != 0 meta mark set ct mark`,
];

/** A container that reaches itself through a virtual address would answer itself directly: its address is replaced. */
function sourceRules(state: NetworkState): string[] {
  const node4 = nodeAddress(state, state.self, 4);
  const node6 = nodeAddress(state, state.self, 6);
  return [
    ...(node4 === undefined ? [] : [`ip saddr . ip daddr @pairs snat ip to ${node4}`]),
    ...(node6 === undefined ? [] : [`ip6 saddr . ip6 daddr @pairs6 snat ip6 to ${node6}`]),
    `oifname "up0" ip saddr ${state.subnet} masquerade`,
  ];
}

/**
 * One transaction that puts the table in place, whatever was there under its name. Established flows stay.
 * @param isThere false when no table of the name is: for a removal nftables waits for all processors.
 */
export function formatTable(table: RouterTable, parts: readonly TablePart[] = [], isThere = true): string {
  const name = `inet ${ROUTER_TABLE}`;
  const chains = withChains(table, parts).slotChains;
  const elements = new Map([...table.elements].map(([set, own]) => [set, [...own].map(formatElement)]));
  for (const part of parts) {
    for (const [set, own] of part.elements) {
      const list = elements.get(set) ?? [];
      elements.set(set, list);
      for (const element of own) list.push(formatElement(element));
    }
  }
  const sets = [...table.sets].map(([set, type]) => {
    const own = elements.get(set.split(" ")[1] ?? "") ?? [];
    return `  ${set} {\n    ${type}\n${own.length === 0 ? "" : `    elements = { ${own.join(", ")} }\n`}  }`;
  });
  const slotChains = [...chains].map(([chain, rule]) => `  chain ${chain} {\n    ${rule}\n  }`);
  // Chains first need the maps, maps the chains: a first block declares the chains.
  const declared = [...chains.keys()].map((chain) => `  chain ${chain} {\n  }`);
  const removal = isThere ? `add table ${name}\ndelete table ${name}\n` : "";
  const head = `${removal}table ${name} {\n${declared.join("\n")}\n}\n`;
  return `${head}table ${name} {\n${[...sets, ...slotChains, table.chains].join("\n")}\n}\n`;
}

/** What makes one table of another: chains to add with their rule, then elements, those that go before those that come. */
export type TableUpdate = { chains: readonly [chain: string, rule: string][]; changes: readonly SetChange[] };

/** What makes `after` of `before`; undefined when only the whole table will do. */
export function planUpdate(before: RouterTable, after: RouterTable, parts: PartChanges = NO_CHANGES): TableUpdate | undefined {
  if (before.chains !== after.chains) return undefined;
  const chains = [...afterUpdate(before, after, parts).slotChains].filter(([chain]) => !before.slotChains.has(chain));
  // The same object for what is as it was: it is not gone through.
  const isSame = before.elements === after.elements;
  const had = [...(isSame ? [] : [before.elements]), ...parts.gone.map((part) => part.elements)];
  const has = [...(isSame ? [] : [after.elements]), ...parts.come.map((part) => part.elements)];
  const gone: SetChange[] = [];
  const come: SetChange[] = [];
  for (const set of new Set([...had, ...has].flatMap((each) => [...each.keys()]))) {
    const [present, wanted] = [merge(had, set), merge(has, set)];
    const differing = (from: typeof present, than: typeof present): string[] =>
      [...from].filter(([key, value]) => than.get(key) !== value).map(formatElement);
    const [old, fresh] = [differing(present, wanted), differing(wanted, present)];
    const type = TYPES.get(set) ?? "";
    if (old.length > 0) gone.push({ verb: "delete", set, type, keys: old });
    if (fresh.length > 0) come.push({ verb: "add", set, type, keys: fresh });
  }
  return { chains, changes: [...gone, ...come] };
}

export const isEmpty = ({ chains, changes }: TableUpdate): boolean => chains.length + changes.length === 0;

/** More than a container brings is libnftables' business. */
const FEW_KEYS = 200;

/** Whether it can be done without libnftables: elements of containers, and few of them. */
export const isPlain = ({ chains, changes }: TableUpdate): boolean =>
  chains.length === 0 && changes.every(({ type, keys }) => keys.length <= FEW_KEYS && canEncode(type));

/** The update as one transaction. */
export function formatUpdate({ chains, changes }: TableUpdate): string {
  const name = `inet ${ROUTER_TABLE}`;
  return [
    ...chains.flatMap(([chain, rule]) => [`add chain ${name} ${chain}`, `add rule ${name} ${chain} ${rule}`]),
    ...changes.map((change) => formatSetChange(name, change)),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function merge(parts: readonly Elements[], set: string): ReadonlyMap<string, string> {
  const own = parts.flatMap((part) => part.get(set) ?? []);
  return own.length === 1 && own[0] !== undefined ? own[0] : new Map(own.flatMap((elements) => [...elements]));
}

/** What is in the kernel after an update: chains of slots are never removed. */
export const afterUpdate = (before: RouterTable, after: RouterTable, parts: PartChanges = NO_CHANGES): RouterTable =>
  withChains({ ...after, slotChains: new Map([...before.slotChains, ...after.slotChains]) }, parts.come);

/** A table with the chains that services need. */
export const withChains = (table: RouterTable, parts: readonly TablePart[]): RouterTable => ({
  ...table,
  slotChains: new Map([...table.slotChains, ...parts.flatMap((part) => planChains(part.servers))]),
});

const formatElement = ([key, value]: [string, string]): string => (value === "" ? key : `${key} : ${value}`);
