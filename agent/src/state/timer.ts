/** The port to time, so that tests need not wait. */
export type Timer = {
  /** Runs something once, after at least so many milliseconds. Returns the function that calls it off. */
  after(ms: number, run: () => void): () => void;
};

export const realTimer: Timer = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
