import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CgroupLayout } from "./cgroup.ts";

/** The kernel stays ready for 10 to 20 ms after a move. */
const PAUSE_MS = 5;
/** From the request for an exec until its program is in the container. */
const SOON_MS = 50;
/** A start that takes longer waits for something else. */
const MAX_MOVES = 20;

/**
 * Moving a process into a cgroup, which the runtime does for every container, makes the kernel wait for an RCU grace
 * period (7 to 15 ms, cgroup_threadgroup_rwsem) unless another move came shortly before. So this process is moved to where
 * it is already, in a thread of the pool, from the beginning of a start until its container is there: the wait goes on
 * while the agent makes mounts and network. Only a hint: nothing depends on it.
 */
export class QuickCgroups {
  readonly #layout: CgroupLayout;
  #users = 0;
  #movesLeft = 0;
  #isMoving = false;

  constructor(layout: CgroupLayout) {
    this.#layout = layout;
  }

  /** Keeps the kernel ready while `work` runs. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#users += 1;
    this.#movesLeft = MAX_MOVES;
    if (!this.#isMoving) void this.#move();
    try {
      return await work();
    } finally {
      this.#users -= 1;
    }
  }

  /** Keeps the kernel ready for a short while: a process is about to be moved. */
  soon(): void {
    void this.during(() => new Promise((resolve) => setTimeout(resolve, SOON_MS).unref()));
  }

  /** One loop for all that work at once. */
  async #move(): Promise<void> {
    this.#isMoving = true;
    try {
      // Read each time: somebody may have moved the agent.
      const directory = ownCgroupDir(this.#layout, readFileSync("/proc/self/cgroup", "utf8"));
      if (directory === undefined) return;
      for (; this.#users > 0 && this.#movesLeft > 0; this.#movesLeft -= 1) {
        // "0" is the writer.
        await writeFile(join(directory, "cgroup.procs"), "0");
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch {
      // The agent may not write to its own cgroup: starts are as slow as they are.
    } finally {
      this.#isMoving = false;
    }
  }
}

/** Directory of the cgroup that a process is in, by its /proc/PID/cgroup; undefined when it is outside what we see. */
export function ownCgroupDir(layout: CgroupLayout, procCgroup: string): string | undefined {
  for (const line of procCgroup.split("\n")) {
    const [, names = "", path = ""] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const root = names === "" ? layout.unifiedMount : layout.controllers.get(names.split(",")[0] ?? "");
    if (path !== "" && root !== undefined && !path.startsWith("/..")) return join(root, path);
  }
  return undefined;
}
