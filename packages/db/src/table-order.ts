import { FlotillaError } from "@flotilla/core";

/** A foreign key: rows of `from` name rows of `to`. */
export type Reference = { from: string; to: string };

/**
 * Tables in an order in which they can be filled: each after all that it refers to, otherwise by name. A table may refer to itself.
 * @throws internal when tables refer to each other in a circle.
 */
export function orderTables(tables: readonly string[], references: readonly Reference[]): string[] {
  const open = new Map(tables.toSorted().map((table) => [table, new Set<string>()]));
  for (const { from, to } of references) if (from !== to && open.has(to)) open.get(from)?.add(to);
  const ordered: string[] = [];
  while (open.size > 0) {
    const ready = [...open].filter(([, needed]) => needed.size === 0).map(([table]) => table);
    if (ready.length === 0) throw new FlotillaError("internal", `tables refer to each other in a circle: ${[...open.keys()].join(", ")}`);
    for (const table of ready) open.delete(table);
    for (const needed of open.values()) for (const table of ready) needed.delete(table);
    ordered.push(...ready);
  }
  return ordered;
}
