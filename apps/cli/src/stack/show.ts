// What `flotilla stack` prints for people.
import type { AdoptionPlan, StackPlan } from "./answers.ts";

/** Columns of equal width, with a head. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ").trimEnd()).join("\n"); // prettier-ignore
}

const SIGNS: Readonly<Record<string, string>> = { make: "+", replace: "~", remove: "-", keep: " " };

/** What becomes of each container of a project, and what the stack keeps. */
export function formatAdoption({ services, left, networks, volumes, variables, notes, source }: AdoptionPlan): string {
  const lines: string[] = [];
  for (const { name, replicas } of services) {
    lines.push(`+ service ${name}`);
    for (const { slot, act, because } of replicas) lines.push(`  ${SIGNS[act] ?? " "} replica ${slot}: ${because}`);
  }
  for (const { because } of left) lines.push(`  left as it is: ${because}`);
  for (const [what, names] of Object.entries({ volumes, networks }))
    if (names.length > 0) lines.push(`  ${what} kept: ${names.join(", ")}`);
  if (variables.length > 0) lines.push(`  variables made: ${variables.join(", ")}`);
  return [...lines, ...notes.map((note) => `! ${note}`), "", source.trimEnd()].join("\n");
}

/** A plan as a list of what would happen. */
export function formatPlan({ services, networks, notes }: StackPlan): string {
  const lines: string[] = [];
  for (const name of networks) lines.push(`+ network ${name}`);
  for (const { name, change, reasons, replicas } of services) {
    lines.push(
      `${change === "none" ? " " : change === "remove" ? "-" : change === "create" ? "+" : "~"} service ${name}: ${[change, ...reasons].join(", ")}`,
    );
    for (const { slot, host, fromHost, act, because } of replicas) {
      if (act === "keep") continue;
      const where = act === "replace" ? `${fromHost ?? "?"} → ${host ?? "nowhere"}` : (host ?? fromHost ?? "nowhere");
      // The slots of a global service are its hosts.
      const what = /^\d+$/.test(slot) ? `replica ${slot}` : "replica";
      lines.push(`    ${SIGNS[act] ?? "?"} ${what} on ${where}: ${because}`);
    }
  }
  for (const note of notes) lines.push(`note: ${note}`);
  return lines.length === 0 ? "nothing would change" : lines.join("\n");
}

/** Lines that differ between two texts, as `diff` marks them; equal ones are left out but two around each change. */
export function formatDiff(before: string, after: string): string {
  const [left, right] = [before.split("\n"), after.split("\n")];
  const marked = diffLines(left, right);
  const near = (index: number): boolean => marked.slice(Math.max(0, index - 2), index + 3).some(({ sign }) => sign !== " ");
  return marked
    .filter((_, index) => near(index))
    .map(({ sign, text }) => `${sign} ${text}`)
    .join("\n");
}

type Marked = { sign: " " | "+" | "-"; text: string };

/** The longest common subsequence, line by line. */
function diffLines(left: readonly string[], right: readonly string[]): Marked[] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  const at = (a: number, b: number): number => lengths[a]?.[b] ?? 0;
  for (let a = left.length - 1; a >= 0; a -= 1) {
    for (let b = right.length - 1; b >= 0; b -= 1) {
      const row = lengths[a];
      if (row !== undefined) row[b] = left[a] === right[b] ? at(a + 1, b + 1) + 1 : Math.max(at(a + 1, b), at(a, b + 1));
    }
  }
  const marked: Marked[] = [];
  let [a, b] = [0, 0];
  while (a < left.length || b < right.length) {
    if (a < left.length && b < right.length && left[a] === right[b]) {
      marked.push({ sign: " ", text: left[a] ?? "" });
      [a, b] = [a + 1, b + 1];
    } else if (b >= right.length || (a < left.length && at(a + 1, b) >= at(a, b + 1))) marked.push({ sign: "-", text: left[a++] ?? "" });
    else marked.push({ sign: "+", text: right[b++] ?? "" });
  }
  return marked;
}

/** The state of a service in the words of the pages: one whose rollout is over runs, or does not as it should. Pure. */
export function serviceState({ state, running, wanted }: { state: string; running: number; wanted: number }): string {
  if (state !== "done") return state;
  return running < wanted ? "degraded" : "running";
}

/** Of a text of several lines, for a table: without the words that only lead to the others. Pure. */
export function firstLine(text: string): string {
  const [first = "", ...others] = text.split("\n");
  return others.length === 0 ? first : first.replace(/; last lines:$/, "");
}
