import type { StackPlan } from "@/trpc/types.ts";

export type PlanBasis = StackPlan["basis"];

const HOST_STATES = ["active", "cordon", "drain", "down"] as const;
/** Availability of a host, `down` for one that is, `gone` for one that is not there. */
type HostState = (typeof HOST_STATES)[number] | "gone";

/** What is another thing than when a plan was made. */
export type BasisChange =
  | { what: "stack" }
  | { what: "host"; host: string; before: HostState; after: HostState }
  | { what: "secret" | "config"; name: string };

/** In the order of names; none when both plans were made on the same. */
export function basisChanges(before: PlanBasis, after: PlanBasis): BasisChange[] {
  const hosts = changedKeys(before.hosts, after.hosts).map((host): BasisChange => {
    return { what: "host", host, before: stateOf(before.hosts[host]), after: stateOf(after.hosts[host]) };
  });
  const files = changedKeys(before.files, after.files).map((key): BasisChange => {
    const [kind, ...name] = key.split("/");
    return { what: kind === "config" ? "config" : "secret", name: name.join("/") };
  });
  return [...(before.generation === after.generation ? [] : [{ what: "stack" } as const]), ...hosts, ...files];
}

const stateOf = (state: string | undefined): HostState => HOST_STATES.find((known) => known === state) ?? "gone";

function changedKeys(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => before[key] !== after[key]).toSorted();
}
