import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { EngineClient } from "../engine/client.ts";
import type { ApplyContext } from "./context.ts";

export const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    ExitCode: z.number(),
    Error: z.string().nullish(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z.object({ Status: z.string(), Log: z.array(z.object({ Output: z.string(), ExitCode: z.number() })).nullish() }).nullish(),
  }),
  Config: z.object({ Tty: z.boolean().nullish(), OpenStdin: z.boolean().nullish(), Volumes: z.record(z.string(), z.unknown()).nullish() }),
  Mounts: z.array(z.object({ Type: z.string(), Name: z.string().nullish(), Destination: z.string() })).nullish(),
});
export type Inspected = z.output<typeof Inspected>;

const WaitAnswer = z.object({ StatusCode: z.number() });
const FIRST_LOOK_MS = 50;
const LAST_LOOK_MS = 500;
const STEADY_MS = 500;

export const inspect = (engine: EngineClient, id: string): Promise<Inspected> =>
  engine.json(Inspected, { method: "GET", path: `/containers/${id}/json` });

/** Waits for a container's end. @returns its exit code. */
export async function waitForExit(engine: EngineClient, id: string, signal?: AbortSignal): Promise<number> {
  const { StatusCode } = await engine.json(WaitAnswer, { method: "POST", path: `/containers/${id}/wait`, signal });
  return StatusCode;
}

/**
 * Asks for the end of the run that is about to begin: a container that was never started "does not run", and the plain wait is
 * over at once. @returns when the engine has noted it, so that a start that follows is not over before; its answer is the exit code.
 * @param signal ends the wait: a run that does not begin has no end.
 */
export async function expectExit(engine: EngineClient, id: string, signal: AbortSignal): Promise<{ code: Promise<number> }> {
  const wait = { method: "POST", path: `/containers/${id}/wait`, query: { condition: "next-exit" }, signal } as const;
  const { answer } = await engine.begin(WaitAnswer, wait);
  const code = answer.then(({ StatusCode }) => StatusCode);
  // Whoever fails before the end does not ask for it.
  code.catch(() => undefined);
  return { code };
}

export type Target = { id: string; name: string };

/**
 * Waits until a container is healthy, or if it has no check until it has run for half a second: most programs that are set up
 * wrongly end within that. @throws conflict when it ends, or is found unhealthy.
 */
export async function waitForHealth(
  { engine, signal }: Pick<ApplyContext, "engine" | "signal">,
  { id, name }: Target,
  needsCheck: boolean,
): Promise<void> {
  const beganAtMs = performance.now();
  for (let delayMs = FIRST_LOOK_MS; ; delayMs = Math.min(LAST_LOOK_MS, delayMs * 1.5)) {
    const { State: state } = await inspect(engine, id);
    const health = state.Health?.Status ?? "none";
    if (health === "healthy") return;
    if (health === "unhealthy") throw new FlotillaError("conflict", `container ${name} is unhealthy${lastOutput(state.Health?.Log ?? [])}`);
    if (!state.Running) throw new FlotillaError("conflict", `container ${name} exited (${state.ExitCode})`);
    if (health === "none" && needsCheck) throw new FlotillaError("conflict", `container ${name} has no healthcheck configured`);
    if (health === "none" && performance.now() - beganAtMs >= STEADY_MS) return;
    await pause(delayMs, signal);
  }
}

function lastOutput(log: readonly { Output: string; ExitCode: number }[]): string {
  const last = log.at(-1);
  return last === undefined
    ? ""
    : [`: check exited with ${last.ExitCode}`, last.Output.trim().slice(0, 500)].filter((part) => part !== "").join(": ");
}

/** @throws the signal's reason when it ends the pause. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonOf(signal));
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

const reasonOf = (signal: AbortSignal): Error => (signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
