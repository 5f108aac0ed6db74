import { textOf } from "../tree.ts";
import {
  field,
  type Fields,
  ignored,
  list,
  type NoteTarget,
  object,
  oneOf,
  type Reader,
  refine,
  stackField,
  wrongValue,
} from "./reader.ts";
import { between, bytes, duration, integer, labels, number, text, texts } from "./scalars.ts";
import { message } from "../message.ts";

const count: Reader = (node, path, issues) => (textOf(node) === "all" ? -1 : integer(node, path, issues));
const maxReplicas = between(0, 1_000_000);

export const DEVICE_REQUEST: Fields = {
  capabilities: field("capabilities", texts),
  count: field("count", count),
  device_ids: field("deviceIds", texts),
  driver: field("driver", text),
  options: field("options", labels),
};

const DISCRETE: Fields = { kind: field("kind", text), value: field("value", integer) };

/** `[{discrete_resource_spec: {kind, value}}]` as `{kind: value}`. */
const genericResources =
  (target: NoteTarget): Reader =>
  (node, path, issues) => {
    const spec = object({ discrete_resource_spec: field("spec", object(DISCRETE, { target })) }, { target });
    const items = list(spec)(node, path, issues);
    if (!Array.isArray(items)) return undefined;
    const entries = (items as { spec?: { kind?: string; value?: number } }[]).map(({ spec: { kind, value } = {} }) => [
      kind ?? "",
      value ?? 0,
    ]);
    return Object.fromEntries(entries) as Record<string, number>;
  };

const LIMITS: Fields = { cpus: field("cpus", number), memory: field("memoryBytes", bytes), pids: field("pids", integer) };

const reservations = (target: NoteTarget): Fields => ({
  cpus: stackField("cpus", number, "one_host_cpus"),
  devices: {
    to: "devices",
    read: list(object(DEVICE_REQUEST, { target })),
    note: "gpus",
  },
  generic_resources: stackField("genericResources", genericResources(target), "one_host_placement"),
  memory: field("memoryBytes", bytes),
});

const RATIO: Reader = (node, path, issues) => {
  const parsed = number(node, path, issues);
  if (typeof parsed !== "number") return undefined;
  return parsed >= 0 && parsed <= 1
    ? parsed
    : wrongValue({ node, path, issues }, message("must_be_between", { min: 0, max: 1, found: parsed }));
};

const rollout = (actions: readonly string[]): Fields => ({
  delay: field("delayMs", duration),
  failure_action: field("failureAction", oneOf(...actions)),
  max_failure_ratio: field("maxFailureRatio", RATIO),
  monitor: field("monitorMs", duration),
  order: field("order", oneOf("start-first", "stop-first")),
  parallelism: field("parallelism", between(0, 1_000_000)),
});

const RESTART_POLICY: Fields = {
  condition: field("condition", oneOf("none", "on-failure", "any")),
  delay: stackField("delayMs", duration, "one_host_delay"),
  max_attempts: field("maxAttempts", between(0, 1_000_000)),
  window: stackField("windowMs", duration, "one_host_window"),
};

const placement = (target: NoteTarget): Fields => ({
  constraints: field("constraints", texts),
  max_replicas_per_node: field("maxReplicasPerHost", maxReplicas),
  preferences: field("preferences", list(object({ spread: field("spread", text) }, { target }))),
});

function placed(target: NoteTarget): Reader {
  const keys = object(placement(target), { target });
  return refine(keys, (node, path, issues) => {
    const read = keys(node, path, issues) as Record<string, unknown> | undefined;
    if (read === undefined) return undefined;
    const { preferences = [], ...rest } = read;
    return { ...rest, spread: (preferences as { spread?: string }[]).flatMap(({ spread }) => (spread === undefined ? [] : [spread])) };
  });
}

/** The keys below `deploy`; what a key is worth depends on whether one host or a scheduler runs the project. */
export const deployFields = (target: NoteTarget): Fields => {
  const nested = (fields: Fields): Reader => object(fields, { target });
  return {
    endpoint_mode: stackField("endpointMode", oneOf("vip", "dnsrr"), "one_host_endpoint"),
    labels: stackField("labels", labels, "one_host_labels"),
    mode: field("mode", oneOf("replicated", "global", "replicated-job", "global-job")),
    placement: stackField("placement", placed(target), "one_host_placement"),
    replicas: field("replicas", maxReplicas),
    resources: field(
      "resources",
      nested({ limits: field("limits", nested(LIMITS)), reservations: field("reservations", nested(reservations(target))) }),
    ),
    restart_policy: field("restartPolicy", nested(RESTART_POLICY)),
    rollback_config: stackField("rollbackConfig", nested(rollout(["continue", "pause"])), "one_host_rollback"),
    update_config: stackField("updateConfig", nested(rollout(["continue", "pause", "rollback"])), "one_host_rollout"),
  };
};

export const DEVELOP = ignored("develop");
