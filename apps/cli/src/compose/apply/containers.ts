import { isFlotillaError } from "@flotilla/core";
import type { ObservedContainer } from "../plan/labels.ts";
import type { ApplyContext } from "./context.ts";
import { runHooks } from "./hooks.ts";

type Effects = Pick<ApplyContext, "engine" | "progress"> & { loaded?: ApplyContext["loaded"] };
type Named = Pick<ObservedContainer, "id" | "name"> & Partial<Pick<ObservedContainer, "service" | "state">>;

/** Stops a container that may already have stopped, or gone. */
export async function stopContainer(
  context: Effects,
  container: Named,
  options: { timeoutSeconds?: number | undefined; quiet?: boolean } = {},
): Promise<void> {
  const { engine, progress, loaded } = context;
  const tell = (status: string): void => {
    if (options.quiet !== true) progress.set({ kind: "Container", name: container.name, status });
  };
  tell("Stopping");
  const hooks = loaded?.project.services[container.service ?? ""]?.preStop ?? [];
  if (container.state === "running") await runHooks({ engine, progress }, container, hooks);
  await ignoringAbsence(() =>
    engine.run({ method: "POST", path: `/containers/${container.id}/stop`, query: { t: options.timeoutSeconds } }),
  );
  tell("Stopped");
}

/** Removes a container, with its anonymous volumes only where told to; one that has gone already is no mistake. */
export async function removeContainer(
  context: Effects,
  container: Named,
  options: { stops?: boolean; volumes?: boolean; timeoutSeconds?: number | undefined },
): Promise<void> {
  const { engine, progress } = context;
  const isStopped = container.state === "exited" || container.state === "created" || container.state === "dead";
  if (options.stops === true && !isStopped) await stopContainer(context, container, options);
  progress.set({ kind: "Container", name: container.name, status: "Removing" });
  await ignoringAbsence(() =>
    engine.run({ method: "DELETE", path: `/containers/${container.id}`, query: { force: true, v: options.volumes === true } }),
  );
  progress.set({ kind: "Container", name: container.name, status: "Removed" });
}

export async function ignoringAbsence(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isFlotillaError(error, "not_found")) throw error;
  }
}
