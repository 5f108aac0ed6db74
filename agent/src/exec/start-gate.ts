const CHECK_MS = 10;

/**
 * Holds a program's output back until the program has really been started. Before that, what stands in its error stream
 * are the runtime's own words, which are told to the user in Docker's words instead.
 */
export class StartGate {
  readonly #hasStarted: () => boolean;
  readonly #forward: (chunk: Buffer) => void;
  readonly #held: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;

  constructor(hasStarted: () => boolean, forward: (chunk: Buffer) => void) {
    this.#hasStarted = hasStarted;
    this.#forward = forward;
  }

  push(chunk: Buffer): void {
    if (this.#isOpen) {
      this.#forward(chunk);
      return;
    }
    this.#held.push(chunk);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS);
    this.#check();
  }

  /** The program has ended: what is held is its output, or not wanted. */
  end(): void {
    this.#check();
    clearInterval(this.#timer);
  }

  #check(): void {
    if (this.#isOpen || !this.#hasStarted()) return;
    this.#isOpen = true;
    clearInterval(this.#timer);
    for (const chunk of this.#held.splice(0)) this.#forward(chunk);
  }
}
