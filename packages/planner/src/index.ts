export * from "./constraints.ts";
export * from "./explain.ts";
export * from "./plan-moves.ts";
export * from "./plan-rollout.ts";
export * from "./reason.ts";
export * from "./rollout-types.ts";
export * from "./schedule-types.ts";
export * from "./schedule.ts";
