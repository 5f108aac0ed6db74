import type { RestMethod, RestRoute } from "./route.ts";

export type Match =
  | { kind: "found"; procedure: string; route: RestRoute; parameters: Record<string, string> }
  | { kind: "otherMethod"; allowed: RestMethod[] }
  | { kind: "none" };

/** The route of a request. Fixed segments win over parameters, so that `/stacks/plan` is never the stack `plan`. */
export function matchRoute(routes: ReadonlyMap<string, RestRoute>, request: { method: string; path: string }): Match {
  const segments = request.path.split("/").slice(1).map(decode);
  if (segments.some((segment) => segment === undefined || segment === "")) return { kind: "none" };
  const candidates: { procedure: string; route: RestRoute; parameters: Record<string, string> }[] = [];
  for (const [procedure, route] of routes) {
    const parameters = matchSegments(route, segments as string[]);
    if (parameters !== undefined) candidates.push({ procedure, route, parameters });
  }
  const found = candidates
    .filter(({ route }) => route.method === request.method)
    .sort((a, b) => Object.keys(a.parameters).length - Object.keys(b.parameters).length)[0];
  if (found !== undefined) return { kind: "found", ...found };
  if (candidates.length === 0) return { kind: "none" };
  return { kind: "otherMethod", allowed: [...new Set(candidates.map(({ route }) => route.method))].sort() };
}

function matchSegments(route: RestRoute, segments: readonly string[]): Record<string, string> | undefined {
  const wanted = route.path.split("/").slice(1);
  if (wanted.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const segment = segments[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined && part !== segment) return undefined;
    if (name !== undefined) parameters[route.fields?.[name] ?? name] = segment;
  }
  return parameters;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Names of the parameters in a path, as the path calls them. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
}
