import type { Action } from "@flotilla/services";
import { appRouter } from "./app-router.ts";
import type { ProcedureMeta } from "./trpc.ts";

export type ProcedureInfo = { path: string; kind: "query" | "mutation" | "subscription"; action: Action | undefined };

type Described = { _def: { type: ProcedureInfo["kind"]; meta?: ProcedureMeta } };

/** Every procedure with the action it declares: for the test that tries each as everybody. */
export function listProcedures(): ProcedureInfo[] {
  // tRPC keeps a flat record of all procedures here; its static type describes the nested one.
  const procedures = Object.entries(appRouter._def.procedures as object) as [string, Described][];
  return procedures.map(([path, { _def }]) => ({ path, kind: _def.type, action: _def.meta?.action }));
}
