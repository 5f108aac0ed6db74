// Reasons of the planner in rows and in answers: data, which pages say in their reader's language.
import { formatReason, type Reason, reason, REASON_CODES, type ReasonCode } from "@flotilla/planner";
import { readReplicaWords } from "@flotilla/protocol";
import { z } from "zod";

const values = z.record(z.string(), z.union([z.string(), z.number()]));
const code = z.custom<ReasonCode>((text) => REASON_CODES.some((known) => known === text));
const reasonRow: z.ZodType<Reason> = z.lazy(() => z.object({ code, values, parts: z.array(reasonRow).optional() })) as z.ZodType<Reason>;
const reasonList = z.array(reasonRow).max(16);

/** What a step says: what became of a replica, or how a service stands. */
export type StepSaid = {
  event: "made" | "drains" | "stops" | "says" | "goes_back" | "is_back";
  slot?: string;
  revision?: number;
  reasons: Reason[];
};
const stepSaid = z.object({
  event: z.enum(["made", "drains", "stops", "says", "goes_back", "is_back"]),
  slot: z.string().optional(),
  revision: z.number().optional(),
  reasons: reasonList,
});

/** Null for what was written by another version. */
export function readReasons(json: unknown): Reason[] | null {
  return reasonList.safeParse(json).data ?? null;
}

/** Null for what was written by another version, or has no other words than its text. */
export function readSaid(json: unknown): StepSaid | null {
  const { data } = stepSaid.safeParse(json);
  if (data === undefined) return null;
  const { event, slot, revision, reasons } = data;
  return { event, reasons, ...(slot === undefined ? {} : { slot }), ...(revision === undefined ? {} : { revision }) };
}

/** In English. */
export function formatReasons(reasons: readonly Reason[]): string {
  return reasons.map(formatReason).join("; ");
}

/** What a host said of a replica; words that are not its own stay as they are. */
export function toHostReason(words: string): Reason {
  const said = readReplicaWords(words);
  return said === undefined ? reason("text", { text: words }) : reason(said.word, said.values);
}
