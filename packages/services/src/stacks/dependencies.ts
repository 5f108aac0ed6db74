import type { Service } from "@flotilla/compose";
import type { ReplicaRow, StackRow } from "./stack-rows.ts";

/** What a service waits for before its first replica is made, of its `depends_on`; null when nothing. Pure. */
export function blockedBy(model: Service, stack: Pick<StackRow, "services">): string | null {
  for (const [name, { condition, isRequired }] of Object.entries(model.dependsOn)) {
    const dependency = stack.services.find((service) => service.name === name && !service.isRemoved);
    if (dependency === undefined) {
      if (isRequired) return `${name}, which is not there`;
      continue;
    }
    const phases = dependency.replicas.flatMap(({ state, observed }) =>
      state === "run" && observed !== undefined ? [observed.phase] : [],
    );
    if (!isMet(condition, phases)) return `${name} to ${WORDS[condition]}`;
  }
  return null;
}

type Condition = Service["dependsOn"][string]["condition"];
type Phase = NonNullable<ReplicaRow["observed"]>["phase"];

const WORDS: Readonly<Record<Condition, string>> = {
  service_started: "start",
  service_healthy: "be healthy",
  service_completed_successfully: "end well",
};

function isMet(condition: Condition, phases: readonly Phase[]): boolean {
  if (condition === "service_completed_successfully") return phases.includes("complete");
  if (condition === "service_healthy") return phases.includes("running");
  return phases.some((phase) => phase !== "preparing" && phase !== "stopped");
}
