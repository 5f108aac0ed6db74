/** Milliseconds for who is expected to answer, on a machine however busy. */
export const PATIENCE_MS = 10_000;
/** For who is expected not to. */
export const BRIEFLY = 1_500;
