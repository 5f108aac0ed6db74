import { FlotillaError } from "@flotilla/core";
import type { ExecCreateBody } from "@flotilla/engine-api";
import type { EventBus } from "../events/bus.ts";
import type { PtyProcess, TerminalSize } from "../host/pty-process.ts";
import type { ExecFiles } from "./exec-files.ts";

export type ExecRecord = {
  readonly id: string;
  readonly namespace: string;
  readonly containerId: string;
  readonly body: ExecCreateBody;
  readonly detachKeys: Uint8Array;
  state: "created" | "running" | "ended";
  exitCode: number | null;
  finishedAtMs: number;
  files: ExecFiles | undefined;
  pty: PtyProcess | undefined;
  size: TerminalSize | undefined;
  onDetached?: () => void;
};

/** One that ended can be asked for its exit code this long, as in Docker. */
const KEEP_ENDED_MS = 5 * 60_000;

/** The execs of this agent's life. They are gone after a restart, as in Docker; the programs run on. */
export class ExecRegistry {
  readonly #records = new Map<string, ExecRecord>();
  readonly #nowMs: () => number;

  constructor(events: EventBus, nowMs: () => number) {
    this.#nowMs = nowMs;
    events.subscribe((event) => {
      if (event.type !== "container" || event.action !== "destroy") return;
      this.#removeWhere((record) => record.containerId === event.id);
    });
  }

  add(record: ExecRecord): void {
    const oldest = this.#nowMs() - KEEP_ENDED_MS;
    this.#removeWhere((known) => known.state === "ended" && known.finishedAtMs < oldest);
    this.#records.set(record.id, record);
  }

  /** @throws FlotillaError `not_found`, also for an exec of another namespace. */
  get(namespace: string, id: string): ExecRecord {
    const record = this.#records.get(id);
    if (record === undefined || record.namespace !== namespace) throw new FlotillaError("not_found", `No such exec instance: ${id}`);
    return record;
  }

  activeIds(containerId: string): string[] {
    return [...this.#records.values()]
      .filter((record) => record.containerId === containerId && record.state !== "ended")
      .map((record) => record.id);
  }

  #removeWhere(isGone: (record: ExecRecord) => boolean): void {
    for (const record of this.#records.values()) if (isGone(record)) this.#records.delete(record.id);
  }
}
