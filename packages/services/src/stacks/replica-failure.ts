import type { ServiceRow } from "./stack-rows.ts";

const MAX_TEXT = 4_000;

/** Why a rollout failed, with everything that the host of the first failed replica said: reason, exit code, health check, last lines. Pure. */
export function describeFailure({ replicas, target }: Pick<ServiceRow, "replicas" | "target">, summary: string): string {
  const own = replicas.filter(({ hash, observed }) => hash === target.hash && observed !== undefined);
  const said = own.find(({ failedAt }) => failedAt !== null)?.observed;
  if (said === undefined) return describeStall(own, summary);
  const { exitCode, healthOutput, log, restarts, lastFailure } = said;
  const reason = said.reason === "" ? lastFailure : said.reason;
  const facts = [
    reason === "" ? (restarts > 0 ? `it was restarted ${restarts} times` : "it failed") : reason,
    ...(exitCode !== null && !reason.includes("exit code") ? [`exit code ${exitCode}`] : []),
    ...(healthOutput === "" ? [] : [`health check said: ${healthOutput.trim()}`]),
    ...(log.length === 0 ? [] : [`last lines:\n${log.join("\n")}`]),
  ];
  return `${summary}: ${facts.join("; ")}`.slice(0, MAX_TEXT);
}

/** What a replica that is neither ready nor failing is at. */
function describeStall(replicas: ServiceRow["replicas"], summary: string): string {
  const stuck = replicas.find(({ readyAt }) => readyAt === null)?.observed;
  if (stuck === undefined) return summary;
  const { phase, progress } = stuck;
  const isStarting = phase === "starting";
  return `${summary}: a replica is ${isStarting ? "starting, and its health check has not passed yet" : phase}${progress === "" ? "" : `, ${progress}`}`;
}
