import type { DesiredState } from "./desired-state.ts";
import type { Timer } from "./timer.ts";

const PATIENCE_MS = 3_000;

/**
 * Waits a moment until what is stored of a kind is applied, so that the first report says what is here: endpoints that it
 * leaves out lose their names on the other hosts. What takes longer is told when it is done.
 */
export async function untilApplied(desired: DesiredState, kind: string, timer: Timer): Promise<void> {
  if (desired.resources(kind).length === 0 || desired.outcome !== undefined) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      cancel();
      stop();
      resolve();
    };
    const stop = desired.onOutcome(end);
    const cancel = timer.after(PATIENCE_MS, end);
  });
}
