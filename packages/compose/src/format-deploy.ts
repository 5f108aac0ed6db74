import { clean, formatDuration, type Plain } from "./format-values.ts";
import type { Deploy, RolloutConfig } from "./model.ts";

/** The keys below `deploy`, without defaults. */
export function formatDeploy(deploy: Deploy): Plain {
  const { limits, reservations } = deploy.resources;
  const bytes = (size: number | undefined): string | undefined => (size === undefined ? undefined : String(size));
  const { restartPolicy: policy } = deploy;
  return clean({
    mode: deploy.mode === "replicated" ? undefined : deploy.mode,
    replicas: deploy.replicas === 1 ? undefined : deploy.replicas,
    endpoint_mode: deploy.endpointMode === "vip" ? undefined : deploy.endpointMode,
    labels: deploy.labels,
    placement: clean({
      constraints: deploy.placement.constraints,
      preferences: deploy.placement.spread.map((spread) => ({ spread })),
      max_replicas_per_node: deploy.placement.maxReplicasPerHost === 0 ? undefined : deploy.placement.maxReplicasPerHost,
    }),
    resources: clean({
      limits: clean({ cpus: limits.cpus, memory: bytes(limits.memoryBytes), pids: limits.pids }),
      reservations: clean({
        cpus: reservations.cpus,
        memory: bytes(reservations.memoryBytes),
        devices: reservations.devices.map(({ capabilities, driver, count, deviceIds, options }) =>
          clean({ capabilities, driver, count: count === -1 ? "all" : count, device_ids: deviceIds, options }),
        ),
        generic_resources: Object.entries(reservations.genericResources).map(([kind, value]) => ({
          discrete_resource_spec: { kind, value },
        })),
      }),
    }),
    restart_policy:
      policy === undefined
        ? undefined
        : {
            condition: policy.condition,
            delay: formatDuration(policy.delayMs),
            ...clean({ max_attempts: policy.maxAttempts }),
            window: formatDuration(policy.windowMs),
          },
    update_config: deploy.updateConfig === undefined ? undefined : formatRollout(deploy.updateConfig),
    rollback_config: deploy.rollbackConfig === undefined ? undefined : formatRollout(deploy.rollbackConfig),
    ...deploy.extensions,
  });
}

function formatRollout(rollout: RolloutConfig): Plain {
  return {
    parallelism: rollout.parallelism,
    delay: formatDuration(rollout.delayMs),
    failure_action: rollout.failureAction,
    monitor: formatDuration(rollout.monitorMs),
    max_failure_ratio: rollout.maxFailureRatio,
    order: rollout.order,
  };
}
