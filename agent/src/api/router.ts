import { FlotillaError } from "@flotilla/core";
import type { Handler, Route } from "./call.ts";

export type RouteMatch = { handler: Handler; params: Readonly<Record<string, string>> };

type Segment = { kind: "static"; text: string } | { kind: "param"; name: string } | { kind: "rest"; name: string };

type CompiledRoute = { method: Route["method"]; segments: readonly Segment[]; handler: Handler };

/** Finds the route of a path (without its version). Static segments win over `:name`, and that over `:name*`. */
export class Router {
  readonly #routes: readonly CompiledRoute[];

  /** @throws FlotillaError `internal` when two routes have the same method and path. */
  constructor(routes: readonly Route[]) {
    const seen = new Set<string>();
    for (const { method, path } of routes) {
      const key = `${method} ${path.replace(/:\w+/g, ":")}`;
      if (seen.has(key)) throw new FlotillaError("internal", `route ${method} ${path} is defined twice`);
      seen.add(key);
    }
    this.#routes = routes.map(compile).sort((a, b) => compareSpecificity(a.segments, b.segments));
  }

  /** @param path percent-encoded, without query. @throws FlotillaError `invalid` when its encoding is broken. */
  find(method: string, path: string): RouteMatch | undefined {
    const parts = path.split("/").slice(1);
    for (const route of this.#routes) {
      if (route.method !== method) continue;
      const params = matchSegments(route.segments, parts);
      if (params !== undefined) return { handler: route.handler, params };
    }
    return undefined;
  }
}

function compile(route: Route): CompiledRoute {
  const segments = route.path
    .split("/")
    .slice(1)
    .map((text): Segment => {
      if (!text.startsWith(":")) return { kind: "static", text };
      return text.endsWith("*") ? { kind: "rest", name: text.slice(1, -1) } : { kind: "param", name: text.slice(1) };
    });
  return { method: route.method, segments, handler: route.handler };
}

const RANK = { static: 0, param: 1, rest: 2 } as const;

function compareSpecificity(a: readonly Segment[], b: readonly Segment[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const left = a[index];
    const right = b[index];
    if (left !== undefined && right !== undefined && left.kind !== right.kind) return RANK[left.kind] - RANK[right.kind];
  }
  return b.length - a.length;
}

/** A `rest` segment takes one part or more, so that static segments behind it (the `json` of an image) still match. */
function matchSegments(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  let at = 0;
  for (const [index, segment] of segments.entries()) {
    const part = parts[at];
    if (part === undefined) return undefined;
    if (segment.kind === "rest") {
      const end = parts.length - (segments.length - index - 1);
      if (end <= at) return undefined;
      params[segment.name] = parts.slice(at, end).map(decode).join("/");
      at = end;
      continue;
    }
    if (segment.kind === "static" && segment.text !== part) return undefined;
    if (segment.kind === "param") {
      if (part === "") return undefined;
      params[segment.name] = decode(part);
    }
    at++;
  }
  return at === parts.length ? params : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new FlotillaError("invalid", `invalid path: "${part}" is not percent-encoded UTF-8`);
  }
}
