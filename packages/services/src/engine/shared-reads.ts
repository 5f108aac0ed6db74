/** A caller waits no longer for a read that somebody else began; a slow host must not make two of them one after the other. */
const MAX_WAIT_MS = 500;

type Flight = { running: Promise<unknown>; next: Promise<unknown> | undefined };

/**
 * Reads that many ask for at once are made once: whoever asks while one runs shares the *next* one with all others who do. So what
 * somebody is told was always read after they asked, as if they had read it alone, and nothing is kept. What is shared must not be changed.
 */
export class SharedReads {
  readonly #flights = new Map<string, Flight>();
  readonly #maxWaitMs: number;

  constructor(maxWaitMs = MAX_WAIT_MS) {
    this.#maxWaitMs = maxWaitMs;
  }

  /** @param key says all that the answer depends on */
  read<T>(key: string, load: () => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, load);
    flight.next ??= atMost(flight.running, this.#maxWaitMs).then(() => this.#start(key, load));
    return flight.next as Promise<T>;
  }

  #start<T>(key: string, load: () => Promise<T>): Promise<T> {
    const running = load();
    const flight: Flight = { running, next: undefined };
    this.#flights.set(key, flight);
    const end = (): void => {
      // With somebody waiting the next one takes its place; a slow one may have been overtaken.
      if (flight.next === undefined && this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    running.then(end, end);
    return running;
  }
}

/** Resolves when `work` has ended, well or not, or after so long. */
async function atMost(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  const ended = work.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([ended, late]);
  clearTimeout(timer);
}

/** A pure function of an object that is never changed, computed once for each as long as the object is there. */
export function once<Input extends object, Output>(compute: (input: Input) => Output): (input: Input) => Output {
  const known = new WeakMap<Input, Output>();
  return (input) => {
    const found = known.get(input);
    if (found !== undefined) return found;
    const output = compute(input);
    known.set(input, output);
    return output;
  };
}
