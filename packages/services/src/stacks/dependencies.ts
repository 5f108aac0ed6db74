import type { Service } from "@flotilla/compose";
import { type Reason, reason, type ReasonCode } from "@flotilla/planner";
import type { ReplicaRow, StackRow } from "./stack-rows.ts";

/** What a service waits for before its first replica is made, of its `depends_on`; null when nothing. Pure. */
export function blockedBy(model: Service, stack: Pick<StackRow, "services">): Reason | null {
  for (const [name, { condition, isRequired }] of Object.entries(model.dependsOn)) {
    const dependency = stack.services.find((service) => service.name === name && !service.isRemoved);
    if (dependency === undefined) {
      if (isRequired) return reason("waits_for_service", { service: name });
      continue;
    }
    const phases = dependency.replicas.flatMap(({ state, observed }) =>
      state === "run" && observed !== undefined ? [observed.phase] : [],
    );
    if (!isMet(condition, phases)) return reason(CODES[condition], { service: name });
  }
  return null;
}

type Condition = Service["dependsOn"][string]["condition"];
type Phase = NonNullable<ReplicaRow["observed"]>["phase"];

const CODES = {
  service_started: "waits_for_start",
  service_healthy: "waits_for_health",
  service_completed_successfully: "waits_for_end",
} as const satisfies Record<Condition, ReasonCode>;

function isMet(condition: Condition, phases: readonly Phase[]): boolean {
  if (condition === "service_completed_successfully") return phases.includes("complete");
  if (condition === "service_healthy") return phases.includes("running");
  return phases.some((phase) => phase !== "preparing" && phase !== "stopped");
}
