import type { Me } from "@/trpc/types.ts";

export type Right = Me["rights"][number];

/** How rights are shown together: by what they are about. */
export const RIGHT_GROUPS = ["container", "image", "volume", "network", "stack", "secret", "registry", "host", "team"] as const;
export type RightGroup = (typeof RIGHT_GROUPS)[number];

const GROUP_OF: Readonly<Record<string, RightGroup>> = { config: "secret", member: "team", audit: "team", token: "team", webhook: "team" };

export function groupOfRight(right: Right): RightGroup {
  const noun = right.split(".", 1)[0] ?? "";
  return GROUP_OF[noun] ?? RIGHT_GROUPS.find((group) => group === noun) ?? "team";
}

/** Rights in groups, in the order that they came in; groups without any are left out. */
export function groupRights(rights: readonly Right[]): { group: RightGroup; rights: Right[] }[] {
  return RIGHT_GROUPS.map((group) => ({ group, rights: rights.filter((right) => groupOfRight(right) === group) })).filter(
    (entry) => entry.rights.length > 0,
  );
}

/** What a host can be shared with: what has a meaning on one host. The server says the same. */
export function grantableRights(rights: readonly Right[]): Right[] {
  const groups: readonly RightGroup[] = ["container", "image", "volume", "network"];
  return rights.filter((right) => right === "host.read" || groups.includes(groupOfRight(right)));
}

/** `8000-8100, 9000` → ranges of ports; undefined for what is none. Empty text is no range at all. */
export function parsePortRanges(text: string): [number, number][] | undefined {
  const ranges: [number, number][] = [];
  for (const part of text.split(",").map((word) => word.trim())) {
    if (part === "") continue;
    const [, first = "", last = first] = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(part) ?? [];
    const from = Number(first);
    const to = Number(last);
    if (first === "" || from < 1 || to > 65_535 || from > to) return undefined;
    ranges.push([from, to]);
  }
  return ranges;
}

export function formatPortRanges(ranges: readonly (readonly [number, number])[]): string {
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}
