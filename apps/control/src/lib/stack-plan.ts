// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";
import type { ComposeMessage, Reason } from "@/trpc/types.ts";

export const PLAN_ACTS = ["make", "replace", "move", "remove", "keep", "unplaced"] as const;
export type PlanAct = (typeof PLAN_ACTS)[number];
export const PLAN_CHANGES = ["create", "update", "scale", "remove", "none"] as const;

/** As the planner gives them; a code that this page does not know is said by its text. */
const reasonValues = z.record(z.string(), z.union([z.string(), z.number()]));
const reasonRow: z.ZodMiniType<Reason> = z.lazy(() =>
  z.object({
    code: z.custom<Reason["code"]>((code) => typeof code === "string"),
    values: reasonValues,
    parts: z.optional(z.array(reasonRow)),
  }),
) as z.ZodMiniType<Reason>;

const saidRow = z.object({
  code: z.custom<ComposeMessage["code"]>((code) => typeof code === "string"),
  values: reasonValues,
});
const issueRow = z.object({
  text: z.string(),
  file: z.nullable(z.string()),
  line: z.number(),
  column: z.number(),
  path: z.string(),
  said: saidRow,
  suggestion: z.nullable(z.string()),
});
const plannedReplica = z.object({
  slot: z.string(),
  host: z.nullable(z.string()),
  fromHost: z.nullable(z.string()),
  act: z.enum(["make", "replace", "remove", "keep"]),
  because: z.string(),
  reasons: z._default(z.array(reasonRow), []),
});
const plannedService = z.object({
  name: z.string(),
  change: z.enum(PLAN_CHANGES),
  reasons: z.array(z.string()),
  /** `reasons` as data; deployments from before have none. */
  differs: z._default(z.array(reasonRow), []),
  replicas: z.array(plannedReplica),
});
const planSchema = z.object({
  services: z.array(plannedService),
  networks: z._default(z.array(z.string()), []),
  notes: z._default(z.array(z.string()), []),
  /** `notes` as data; deployments from before have none. */
  issues: z._default(z.array(issueRow), []),
});

export type PlannedReplica = z.output<typeof plannedReplica>;
export type PlannedService = z.output<typeof plannedService>;
export type ReadablePlan = z.output<typeof planSchema>;

/** The plan of an adoption: it makes no networks. */
export function toReadablePlan({
  services,
  notes,
  issues,
}: {
  services: readonly z.input<typeof plannedService>[];
  notes: readonly string[];
  issues: readonly z.input<typeof issueRow>[];
}): ReadablePlan {
  return planSchema.parse({ services, networks: [], notes, issues });
}

const reasonSchema = z.object({ reason: z.string(), reasons: z._default(z.array(reasonRow), []) });
const moves = z.object({
  moves: z.array(z.object({ from: z.string(), to: z.string(), because: z.string(), reasons: z._default(z.array(reasonRow), []) })),
});

export type StoredPlan =
  | { kind: "plan"; plan: ReadablePlan }
  | { kind: "reason"; reason: string; reasons: Reason[] }
  | { kind: "moves"; moves: { from: string; to: string; because: string; reasons: Reason[] }[] }
  | { kind: "none" };

/** The plan that a deployment keeps: whole, the reason of one that had none, or moves. */
export function readStoredPlan(stored: unknown): StoredPlan {
  const plan = planSchema.safeParse(stored);
  if (plan.success) return { kind: "plan", plan: plan.data };
  const moved = moves.safeParse(stored);
  if (moved.success) return { kind: "moves", moves: moved.data.moves };
  const reason = reasonSchema.safeParse(stored);
  return reason.success ? { kind: "reason", ...reason.data } : { kind: "none" };
}

/** What a replica's line means: one that is made anew on another host is moved, one that finds no host is said so. */
export function planAct({ act, host, fromHost }: PlannedReplica): PlanAct {
  if (act === "remove" || act === "keep") return act;
  if (host === null) return "unplaced";
  return fromHost !== null && fromHost !== host ? "move" : act;
}

/** How many replicas of a plan have which fate. */
export function countPlan(services: readonly PlannedService[]): Record<PlanAct, number> {
  const counts: Record<PlanAct, number> = { make: 0, replace: 0, move: 0, remove: 0, keep: 0, unplaced: 0 };
  for (const { replicas } of services) for (const replica of replicas) counts[planAct(replica)] += 1;
  return counts;
}

export type PlanLine = {
  act: PlanAct;
  host: string | null;
  fromHost: string | null;
  because: string;
  reasons: readonly Reason[];
  slots: string;
};

/** Replicas with the same fate on the same host for the same reason are one line: a hundred of them shall be readable. */
export function planLines(replicas: readonly PlannedReplica[]): PlanLine[] {
  const groups = Map.groupBy(replicas, (replica) => JSON.stringify([planAct(replica), replica.host, replica.fromHost, replica.because]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { host, fromHost, because, reasons } = first;
    return [{ act: planAct(first), host, fromHost, because, reasons, slots: formatSlots(group.map(({ slot }) => slot)) }];
  });
}

/** `1–3, 5`. Replicas of a global service have the id of their host for a number, which says nothing: `""`. */
export function formatSlots(slots: readonly string[]): string {
  if (!slots.every((slot) => /^\d{1,9}$/.test(slot))) return "";
  const numbers = slots.map(Number).toSorted((a, b) => a - b);
  const runs: [from: number, to: number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && number <= run[1] + 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}
