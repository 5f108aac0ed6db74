/** What colour may say: the only use of colour in lists. */
export type Tone = "ok" | "warn" | "bad" | "info" | "idle";

export type StateFacts = { state: string; health?: string | undefined; exitCode?: number | undefined };

/**
 * The tone of a container. A clean stop is calm; only what someone should look at has a colour: running well, unhealthy, restarting
 * in a loop, ended with an error.
 */
export function containerTone({ state, health, exitCode }: StateFacts): Tone {
  switch (state) {
    case "running":
      if (health === "unhealthy") return "bad";
      return health === "starting" ? "info" : "ok";
    case "restarting":
      return "warn";
    case "paused":
      return "info";
    case "dead":
      return "bad";
    case "exited":
      // 143 and 137 are what `docker stop` and `docker kill` leave behind: asked for, not failed.
      return exitCode === undefined || [0, 130, 137, 143].includes(exitCode) ? "idle" : "bad";
    default:
      return "idle";
  }
}

/** Health as Docker's list tells it: in brackets at the end of `Status` (`Up 2 hours (healthy)`). */
export function healthFromStatus(status: string): "healthy" | "unhealthy" | "starting" | undefined {
  if (status.includes("(healthy)")) return "healthy";
  if (status.includes("(unhealthy)")) return "unhealthy";
  return status.includes("(health: starting)") ? "starting" : undefined;
}

/** The exit code of `Exited (1) 5 minutes ago`. */
export function exitCodeFromStatus(status: string): number | undefined {
  const code = /^(?:Exited|Restarting) \((\d+)\)/.exec(status)?.[1];
  return code === undefined ? undefined : Number(code);
}

export type ContainerAction = "start" | "stop" | "restart" | "kill" | "pause" | "unpause";

const INTERRUPTING = ["stop", "restart", "kill"] as const satisfies readonly ContainerAction[];

/** Whether an action takes a running program away from those who use it: asked about before it is done. */
export function isInterrupting(action: ContainerAction): action is (typeof INTERRUPTING)[number] {
  return INTERRUPTING.some((name) => name === action);
}

/** Actions that make sense in a state, the likeliest first. */
export function actionsFor(state: string): readonly ContainerAction[] {
  switch (state) {
    case "running":
      return ["stop", "restart", "pause", "kill"];
    case "paused":
      return ["unpause", "stop", "kill"];
    case "restarting":
      return ["stop", "kill"];
    default:
      return ["start"];
  }
}

export type ExitReason =
  | "ok"
  | "oom"
  | "notFound"
  | "notExecutable"
  | "engine"
  | "killed"
  | "terminated"
  | "interrupted"
  | "segfault"
  | "error";

const REASONS: Readonly<Record<number, ExitReason>> = {
  0: "ok",
  125: "engine",
  126: "notExecutable",
  127: "notFound",
  130: "interrupted",
  137: "killed",
  139: "segfault",
  143: "terminated",
};

/** Why a container ended, from its exit code and the kernel's word on memory. */
export function exitReason(exitCode: number, isOomKilled: boolean): ExitReason {
  return isOomKilled ? "oom" : (REASONS[exitCode] ?? "error");
}
