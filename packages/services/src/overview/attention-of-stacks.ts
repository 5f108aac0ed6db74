import type { StackServiceView } from "../stacks/read-stacks.ts";
import type { Attention } from "./attention.ts";

/** A stack as far as it can need somebody. */
export type WatchedStack = {
  name: string;
  isRemoving: boolean;
  /** When its newest deployment began and ended, RFC 3339. */
  startedAt: string | null;
  finishedAt: string | null;
  services: readonly Pick<StackServiceView, "name" | "state" | "message" | "reasons" | "isRemoved" | "wanted" | "running" | "canApprove">[];
};

/** Rollouts that failed or wait for a person, and replicas that are not there though nothing is being rolled out. Pure. */
export function attentionOfStack({ name: stack, isRemoving, startedAt, finishedAt, services }: WatchedStack): Attention[] {
  if (isRemoving) return [];
  const since = finishedAt ?? startedAt;
  return services.flatMap((view): Attention[] => {
    if (view.isRemoved) return [];
    const { name: service, message, reasons } = view;
    const href = `/stacks/${encodeURIComponent(stack)}?service=${encodeURIComponent(service)}`;
    if (view.state === "failed") return [{ code: "rolloutFailed", severity: "critical", stack, service, message, reasons, href, since }];
    if (view.state === "held")
      return [{ code: "rolloutHeld", severity: "warning", stack, service, message, reasons, href, since: startedAt }];
    if (view.canApprove) return [{ code: "rolloutAwaits", severity: "warning", stack, service, href, since: startedAt }];
    const { running, wanted } = view;
    // While something is rolled out replicas come and go; without a host for them they only go.
    const isStuck = view.state !== "rolling" || /have no host: /.test(message);
    if (running >= wanted || !isStuck) return [];
    const severity = running === 0 ? "critical" : "warning";
    return [{ code: "replicasMissing", severity, stack, service, running, wanted, message, reasons, href, since: null }];
  });
}
