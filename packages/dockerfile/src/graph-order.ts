type NeedsOf = (index: number) => readonly number[];

/** The nodes of a loop that `start` leads into, in order, or undefined. Keeps its own stack: chains may be long. */
export function findCycle(start: number, needsOf: NeedsOf): number[] | undefined {
  const done = new Set<number>();
  const path: number[] = [];
  const onPath = new Set<number>();
  const stack: { index: number; next: number }[] = [];
  const enter = (index: number): void => {
    stack.push({ index, next: 0 });
    path.push(index);
    onPath.add(index);
  };
  enter(start);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const need = needsOf(top.index)[top.next++];
    if (need === undefined) {
      stack.pop();
      path.pop();
      onPath.delete(top.index);
      done.add(top.index);
    } else if (onPath.has(need)) {
      return path.slice(path.indexOf(need));
    } else if (!done.has(need)) {
      enter(need);
    }
  }
  return undefined;
}

/** What `target` needs, and itself, in waves: a node is in the wave after the last of those it needs. There is no loop. */
export function topologicalWaves(target: number, needsOf: NeedsOf): number[][] {
  const depths = new Map<number, number>();
  const stack = [target];
  while (stack.length > 0) {
    const index = stack.at(-1) ?? target;
    const open = needsOf(index).filter((need) => !depths.has(need));
    if (open.length > 0) {
      stack.push(...open);
      continue;
    }
    depths.set(index, Math.max(-1, ...needsOf(index).map((need) => depths.get(need) ?? -1)) + 1);
    stack.pop();
  }
  const waves: number[][] = Array.from({ length: Math.max(...depths.values()) + 1 }, () => []);
  for (const [index, depth] of [...depths].sort(([a], [b]) => a - b)) waves[depth]?.push(index);
  return waves;
}
