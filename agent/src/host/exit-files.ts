// conmon writes the exit code of a container as file `<exit dir>/<id>`, by rename, so a file of that name is complete.
import { type FSWatcher, mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch } from "node:fs";
import { join } from "node:path";

export type ObservedExit = { id: string; exitCode: number; finishedAtMs: number };

const ID = /^[0-9a-f]{64}$/;

/** The directory of exit files, watched. */
export class ExitFiles {
  readonly #dir: string;
  #watcher: FSWatcher | undefined;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  /** Calls `listener` for each exit from now on, once or more than once. */
  watch(listener: (exit: ObservedExit) => void): void {
    this.#watcher = watch(this.#dir, (_event, name) => {
      if (name === null || !ID.test(name)) return;
      const exit = this.read(name);
      if (exit !== undefined) listener(exit);
    });
  }

  /** The exit of a container; its time is the file's. Undefined while it runs. */
  read(id: string): ObservedExit | undefined {
    const path = join(this.#dir, id);
    try {
      const text = readFileSync(path, "utf8").trim();
      if (!/^-?\d{1,4}$/.test(text)) return undefined;
      return { id, exitCode: Number(text), finishedAtMs: statSync(path).mtimeMs };
    } catch {
      return undefined;
    }
  }

  list(): ObservedExit[] {
    return readdirSync(this.#dir).flatMap((name) => (ID.test(name) ? (this.read(name) ?? []) : []));
  }

  remove(id: string): void {
    rmSync(join(this.#dir, id), { force: true });
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
