import { watch, type FSWatcher } from "node:fs";
import { dirname } from "node:path";

/**
 * Rings when something in the directory of a file changes: inotify, no polling. The watch begins with the constructor, so
 * what changes after it is never missed.
 */
export class FileChanges {
  readonly #watcher: FSWatcher;
  #isRung = false;
  #wake: () => void = () => undefined;

  constructor(path: string) {
    this.#watcher = watch(dirname(path), { persistent: false }, () => this.ring());
    // The directory was removed: whoever waits looks again and sees it.
    this.#watcher.on("error", () => this.ring());
  }

  /** Wakes the waiter for a reason of the caller's, such as the end of the container. */
  ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  /** Settles at the next ring, or at once when it rang since the last wait. */
  async wait(): Promise<void> {
    if (!this.#isRung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#isRung = false;
  }

  close(): void {
    this.#watcher.close();
  }
}
