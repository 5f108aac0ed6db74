import { z } from "zod";
import type { RouterOutputs } from "../app-router.ts";

export type RestMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** How a procedure is reached by REST; what it takes is what the procedure itself parses. */
export type RestRoute = {
  method: RestMethod;
  /** Below `/api/v1`. `{name}` is a field of the input, one segment, percent-encoded. */
  path: string;
  summary: string;
  /** What is answered: whatever it does not name is left out of the answer. */
  output: z.ZodType;
  /** Of a new object: answered with 201. */
  isCreation?: true;
  /**
   * Of a list: `own` has a cursor of its own; a function gives the key by which pages are cut (and the list is ordered), of a list
   * that the procedure answers whole, bare or as `items`.
   */
  list?: "own" | ((item: never) => string);
  /** Names of the path that the input calls otherwise. */
  fields?: Readonly<Record<string, string>>;
};

/** Output of a procedure by its path: `hosts.joinTokens.list`. */
type OutputAt<Outputs, Path extends string> = Path extends `${infer Head}.${infer Tail}`
  ? Head extends keyof Outputs
    ? OutputAt<Outputs[Head], Tail>
    : never
  : Path extends keyof Outputs
    ? Outputs[Path]
    : never;

/** What an item of a list is, whichever of both forms it has. */
type ItemOf<Output> = Output extends readonly (infer Item)[] ? Item : Output extends { items: readonly (infer Item)[] } ? Item : never;

type Described<Path extends string, Schema extends z.ZodType> = Omit<RestRoute, "output" | "list"> & {
  /** Does not compile when the procedure answers something else. */
  output: OutputAt<RouterOutputs, Path> extends z.input<Schema> ? Schema : never;
  list?: "own" | ((item: ItemOf<OutputAt<RouterOutputs, Path>>) => string);
};

/** One row of the table of routes: `[path of the procedure, route]`. */
export function route<Path extends string, Schema extends z.ZodType>(path: Path, described: Described<Path, Schema>): [Path, RestRoute] {
  return [path, described as unknown as RestRoute];
}

/** Of procedures that answer `{}`: answered with 204. */
export const nothing = z.object({});

export const hostBrief = z.object({ id: z.string(), name: z.string() });
const hostErrors = z.array(z.object({ host: hostBrief, message: z.string() }));
/** A list over several hosts: those that did not answer are named in `errors`. */
export function perHost<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object({ items: z.array(z.looseObject({ ...shape, host: hostBrief })), errors: hostErrors });
}
/** An object of Docker's, with all that the engine tells of it, and its host. */
export function dockers<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.looseObject({ ...shape, host: hostBrief });
}
export const time = z.string();
export const texts = z.record(z.string(), z.string());
