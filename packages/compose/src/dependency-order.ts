import type { Service } from "./model.ts";

type Services = Readonly<Record<string, Pick<Service, "dependsOn">>>;

/** Names of services that depend on each other in a circle, in order; undefined when there is none. */
export function findCycle(services: Services): string[] | undefined {
  const done = new Set<string>();
  for (const start of Object.keys(services)) {
    const cycle = cycleFrom(start, { services, done });
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Depth first with a stack of our own: a chain may be as long as there are services. */
function cycleFrom(start: string, { services, done }: { services: Services; done: Set<string> }): string[] | undefined {
  const path: { name: string; rest: string[] }[] = [];
  const on = new Set<string>();
  const enter = (name: string): void => {
    on.add(name);
    path.push({ name, rest: dependenciesOf(services, name) });
  };
  if (!done.has(start)) enter(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.rest.shift();
    if (next === undefined) {
      done.add(top.name);
      on.delete(top.name);
      path.pop();
    } else if (on.has(next)) {
      const names = path.map(({ name }) => name);
      return names.slice(names.indexOf(next));
    } else if (!done.has(next)) enter(next);
  }
  return undefined;
}

const dependenciesOf = (services: Services, name: string): string[] =>
  Object.keys(services[name]?.dependsOn ?? {}).filter((other) => Object.hasOwn(services, other));

/** Services in an order in which each comes behind those that it depends on; otherwise the file's order. */
export function dependencyOrder(services: Services): string[] {
  const result = new Set<string>();
  const pending = new Map(Object.keys(services).map((name) => [name, new Set(dependenciesOf(services, name))]));
  while (pending.size > 0) {
    const ready = [...pending].filter(([, rest]) => [...rest].every((other) => result.has(other))).map(([name]) => name);
    if (ready.length === 0) break;
    for (const name of ready) {
      result.add(name);
      pending.delete(name);
    }
  }
  return [...result];
}

/** The named services and everything that they depend on; all services when none is named. */
export function withDependencies(services: Services, named: readonly string[]): Set<string> {
  const result = new Set<string>();
  const pending = [...(named.length > 0 ? named : Object.keys(services))];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (result.has(name) || !Object.hasOwn(services, name)) continue;
    result.add(name);
    pending.push(...dependenciesOf(services, name));
  }
  return result;
}
