/** Steps of two tellings, each once, in the order in which they happened: their ids grow with time. */
export function mergeSteps<Step extends { id: string }>(first: readonly Step[], second: readonly Step[]): Step[] {
  const all = new Map([...first, ...second].map((step) => [step.id, step]));
  return [...all.values()].toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
