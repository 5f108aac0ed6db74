import { type Reason, reason } from "@flotilla/planner";
import { toHostReason } from "./reasons.ts";
import type { ServiceRow } from "./stack-rows.ts";

const MAX_TEXT = 4_000;

/** Why a rollout failed: everything that the host of the first failed replica said: reason, exit code, health check, last lines. Pure. */
export function describeFailure({ replicas, target }: Pick<ServiceRow, "replicas" | "target">): Reason[] {
  const own = replicas.filter(({ hash, observed }) => hash === target.hash && observed !== undefined);
  const said = own.find(({ failedAt }) => failedAt !== null)?.observed;
  if (said === undefined) return describeStall(own);
  const { exitCode, healthOutput, log, restarts, lastFailure } = said;
  const words = said.reason === "" ? lastFailure : said.reason;
  const unsaid = restarts > 0 ? reason("was_restarted", { times: restarts }) : reason("has_failed");
  return [
    words === "" ? unsaid : toHostReason(words),
    ...(exitCode !== null && !words.includes("exit code") ? [reason("exit_code", { exitCode })] : []),
    ...(healthOutput === "" ? [] : [reason("health_said", { text: healthOutput.trim().slice(0, MAX_TEXT) })]),
    ...(log.length === 0 ? [] : [reason("last_lines", { text: log.join("\n").slice(0, MAX_TEXT) })]),
  ];
}

/** What a replica that is neither ready nor failing is at. */
function describeStall(replicas: ServiceRow["replicas"]): Reason[] {
  const stuck = replicas.find(({ readyAt }) => readyAt === null)?.observed;
  if (stuck === undefined) return [];
  const { phase, progress } = stuck;
  const at = phase === "starting" ? reason("is_starting") : reason("is_at", { phase });
  return [progress === "" ? at : { ...at, parts: [toHostReason(progress)] }];
}
