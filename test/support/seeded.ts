/** mulberry32: numbers in [0, 1) that are the same for the same seed, so that a failing run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Rounds of a test that kills: a few in each run, as many as one wants by `FLOTILLA_CRASH_ROUNDS`. */
export function crashRounds(usual: number): number {
  const wanted = Number(process.env["FLOTILLA_CRASH_ROUNDS"] ?? "");
  return Number.isInteger(wanted) && wanted > 0 ? wanted : usual;
}
