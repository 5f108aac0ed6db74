import type { RouterOutputs } from "@flotilla/api";

export type TeamGuard = RouterOutputs["guards"]["get"]["teams"][number];

/** What is allowed or not, the most powerful first. */
export const GUARD_FLAGS = [
  "privileged",
  "sockets",
  "hostPid",
  "hostNetwork",
  "hostIpc",
  "hostUts",
  "hostCgroup",
  "seccompUnconfined",
  "unmaskedPaths",
  "sharedMounts",
  "oomProtection",
] as const;
export type GuardFlag = (typeof GUARD_FLAGS)[number];

/** What is allowed by name. */
export const GUARD_LISTS = ["binds", "capabilities", "devices", "sysctls"] as const;
export type GuardList = (typeof GUARD_LISTS)[number];

export const GUARD_LIMITS = ["containers", "cpus", "memory", "hostPorts"] as const;
export type GuardLimit = (typeof GUARD_LIMITS)[number];

/** A guard rail as people write it: lists are lines, limits are text that may be empty. */
export type GuardForm = {
  flags: Readonly<Record<GuardFlag, boolean>>;
  lists: Readonly<Record<GuardList, string>>;
  limits: Readonly<Record<GuardLimit, string>>;
};

export type ParsedGuard = Pick<TeamGuard, "limits" | "allow">;

const MIB = 1024 * 1024;

export function toGuardForm({ allow, limits }: Pick<TeamGuard, "allow" | "limits">): GuardForm {
  const flags = Object.fromEntries(GUARD_FLAGS.map((flag) => [flag, allow[flag]])) as Record<GuardFlag, boolean>;
  const lists = Object.fromEntries(GUARD_LISTS.map((list) => [list, allow[list].join("\n")])) as Record<GuardList, string>;
  return {
    flags,
    lists,
    limits: {
      containers: limits.containers === undefined ? "" : String(limits.containers),
      cpus: limits.cpus === undefined ? "" : String(limits.cpus),
      memory: limits.memoryBytes === undefined ? "" : String(Math.round(limits.memoryBytes / MIB)),
      hostPorts: limits.hostPorts === undefined ? "" : formatPorts(limits.hostPorts),
    },
  };
}

/** `wrong` is the first field that says nothing that can be held to. */
export function parseGuardForm(form: GuardForm): { guard: ParsedGuard } | { wrong: GuardLimit | GuardList } {
  const limits: ParsedGuard["limits"] = {};
  const { containers, cpus, memory, hostPorts } = form.limits;
  if (containers.trim() !== "") {
    if (!/^\d{1,6}$/.test(containers.trim())) return { wrong: "containers" };
    limits.containers = Number(containers);
  }
  if (cpus.trim() !== "") {
    if (!/^\d{1,4}(\.\d{1,2})?$/.test(cpus.trim()) || Number(cpus) < 0.01) return { wrong: "cpus" };
    limits.cpus = Number(cpus);
  }
  if (memory.trim() !== "") {
    if (!/^\d{2,9}$/.test(memory.trim()) || Number(memory) < 16) return { wrong: "memory" };
    limits.memoryBytes = Number(memory) * MIB;
  }
  const ports = parsePorts(hostPorts);
  if (ports === null) return { wrong: "hostPorts" };
  if (ports !== undefined) limits.hostPorts = ports;
  const lists = Object.fromEntries(GUARD_LISTS.map((list) => [list, linesOf(form.lists[list])])) as Record<GuardList, string[]>;
  const capabilities = [...new Set(lists.capabilities.map(toCapability))];
  if (capabilities.some((name) => !/^(ALL|CAP_[A-Z_]{2,40})$/.test(name))) return { wrong: "capabilities" };
  for (const list of ["binds", "devices"] as const) if (lists[list].some((path) => !path.startsWith("/"))) return { wrong: list };
  return { guard: { limits, allow: { ...form.flags, ...lists, capabilities } } };
}

/** What of a guard rail is more than Docker gives to everybody: for one line of a page. */
export function allowedOf(allow: TeamGuard["allow"]): { flags: GuardFlag[]; lists: { list: GuardList; values: string[] }[] } {
  return {
    flags: GUARD_FLAGS.filter((flag) => allow[flag]),
    lists: GUARD_LISTS.flatMap((list) => (allow[list].length === 0 ? [] : [{ list, values: allow[list] }])),
  };
}

/** `80, 8000-8100`; `none` for none. */
export function formatPorts(ranges: readonly (readonly [number, number])[]): string {
  if (ranges.length === 0) return "none";
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}

/** Undefined: no limit. Null: not to be read. */
function parsePorts(text: string): [number, number][] | null | undefined {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  if (parts.length === 0) return undefined;
  if (parts.length === 1 && parts[0] === "none") return [];
  const ranges: [number, number][] = [];
  for (const part of parts) {
    const [, low = "", high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    const [from, to] = [Number(low), Number(high)];
    if (low === "" || from < 1 || to > 65_535 || from > to) return null;
    ranges.push([from, to]);
  }
  return ranges;
}

const linesOf = (text: string): string[] => [
  ...new Set(
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  ),
];

/** `net_admin` is CAP_NET_ADMIN. */
function toCapability(name: string): string {
  const upper = name.toUpperCase();
  return upper === "ALL" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
}
