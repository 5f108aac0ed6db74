import { rename, rm, stat } from "node:fs/promises";
import { type Logger, toFlotillaError } from "@flotilla/core";
import type { Containers, ContainerView } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import { reopenLog } from "../host/conmon-control.ts";
import { FileChanges } from "./file-changes.ts";
import { parseRotationPolicy, type RotationPolicy } from "./rotation-policy.ts";

export type LogRotatorParts = { containers: Containers; events: EventBus; logger: Logger };

/** A log is looked at this often at most while it is written to. */
const LOOK_INTERVAL_MS = 100;
/** conmon opens the new file within microseconds; a machine that swaps may need longer. */
const REOPEN_TIMEOUT_MS = 5_000;

/**
 * Keeps the logs of running containers within their max-size. conmon 2.1 itself can only cut a log off and lose it, so the
 * file is renamed and conmon told to open a new one: no line is lost, and readers go on in the file that they have open.
 *
 * Crash safety: between the rename and the word to conmon the log has no current file and conmon writes on in `.1`; that
 * is what the first look at a container repairs. While no agent runs a log may grow past its size.
 */
export class LogRotator {
  readonly #parts: LogRotatorParts;
  readonly #watches = new Map<string, FileChanges>();
  readonly #unsubscribe: () => void;
  #isClosed = false;

  /** Begins at once with the containers that run. */
  constructor(parts: LogRotatorParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.events.subscribe((event) => {
      if (event.type !== "container") return;
      if (event.action === "start") this.#watchAll(event.namespace, event.id);
      else if (event.action === "die" || event.action === "destroy") this.#stop(event.id);
    });
    this.#watchAll();
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const id of this.#watches.keys()) this.#stop(id);
  }

  #watchAll(namespace?: string, id?: string): void {
    for (const view of this.#parts.containers.views(namespace)) {
      const isRunning = view.status === "running" || view.status === "paused";
      const policy = parseRotationPolicy(view.hostConfig.LogConfig.Config);
      if (!isRunning || policy === undefined || (id !== undefined && view.id !== id) || this.#watches.has(view.id)) continue;
      this.#watch(view, policy).catch((error: unknown) => {
        this.#stop(view.id);
        this.#parts.logger.warn("a log is no longer rotated", { containerId: view.id, error: toFlotillaError(error).message });
      });
    }
  }

  async #watch(view: ContainerView, policy: RotationPolicy): Promise<void> {
    const changes = new FileChanges(view.logPath);
    this.#watches.set(view.id, changes);
    while (this.#watches.get(view.id) === changes && !this.#isClosed) {
      await rotateIfNeeded(view, policy);
      await changes.wait();
      await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS).unref());
    }
  }

  #stop(id: string): void {
    const changes = this.#watches.get(id);
    this.#watches.delete(id);
    changes?.close();
    changes?.ring();
  }
}

/** One look: rotates a log that is too large, or finishes a rotation that was cut off. */
async function rotateIfNeeded(view: ContainerView, policy: RotationPolicy): Promise<void> {
  const size = await sizeOf(view.logPath);
  if (size === undefined) {
    if ((await sizeOf(`${view.logPath}.1`)) === undefined) return;
  } else {
    if (size < policy.maxBytes) return;
    await shiftFiles(view.logPath, Math.max(policy.maxFiles, 2));
  }
  try {
    await reopenLog(view.controlFifoPath);
  } catch {
    // The container has just ended: its next run opens the file anew.
    return;
  }
  await untilExists(view.logPath);
  if (policy.maxFiles === 1) await rm(`${view.logPath}.1`, { force: true });
}

/** log.1 → log.2 and so on, oldest first, then log → log.1. */
async function shiftFiles(logPath: string, maxFiles: number): Promise<void> {
  await rm(`${logPath}.${maxFiles - 1}`, { force: true });
  for (let number = maxFiles - 2; number >= 1; number--) {
    if ((await sizeOf(`${logPath}.${number}`)) !== undefined) await rename(`${logPath}.${number}`, `${logPath}.${number + 1}`);
  }
  await rename(logPath, `${logPath}.1`);
}

async function untilExists(path: string): Promise<void> {
  const deadline = Date.now() + REOPEN_TIMEOUT_MS;
  while ((await sizeOf(path)) === undefined && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
