export type GraphNode = { name: string; column: number; row: number };
export type GraphEdge = { from: string; to: string };
export type ServiceGraph = { nodes: GraphNode[]; edges: GraphEdge[]; columns: number; rows: number };

/**
 * Places services so that what a service needs stands left of it. A cycle, which the server refuses, would be cut where it is met first.
 * `from` of an edge is what is needed, `to` is who needs it.
 */
export function layoutServices(services: readonly { name: string; dependsOn: readonly string[] }[]): ServiceGraph {
  const byName = new Map(services.map((service) => [service.name, service]));
  const columns = new Map<string, number>();
  const columnOf = (name: string, above: ReadonlySet<string>): number => {
    const known = columns.get(name);
    if (known !== undefined) return known;
    const needs = (byName.get(name)?.dependsOn ?? []).filter((need) => byName.has(need) && !above.has(need));
    const column = needs.length === 0 ? 0 : 1 + Math.max(...needs.map((need) => columnOf(need, new Set([...above, name]))));
    columns.set(name, column);
    return column;
  };
  const used: number[] = [];
  const nodes = [...byName.keys()].toSorted().map((name) => {
    const column = columnOf(name, new Set([name]));
    const row = used[column] ?? 0;
    used[column] = row + 1;
    return { name, column, row };
  });
  const edges = services.flatMap(({ name, dependsOn }) =>
    dependsOn.filter((need) => byName.has(need)).map((need) => ({ from: need, to: name })),
  );
  return { nodes, edges, columns: used.length, rows: Math.max(0, ...used.map((count) => count ?? 0)) };
}
