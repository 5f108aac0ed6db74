import { STATUS_CODES } from "node:http";
import { TRPCError } from "@trpc/server";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { z } from "zod";
import { toTrpcError } from "../errors.ts";

/** Problem details (RFC 9457). `code` is ours; `errors` names the fields that a schema refused. */
export type Problem = {
  type: "about:blank";
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: { field: string; detail: string }[];
};

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.object({ field: z.string(), detail: z.string() })).optional(),
});

export function makeProblem(status: number, code: string, detail: string): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, code };
}

/** The problem for anything thrown, worded as tRPC's doors word it. */
export function toProblem(error: unknown): Problem {
  const known = toTrpcError(error);
  const problem = makeProblem(getHTTPStatusCodeFromError(known), known.code.toLowerCase(), known.message);
  const issues = error instanceof TRPCError && error.cause instanceof z.ZodError ? error.cause : known.cause;
  if (!(issues instanceof z.ZodError)) return problem;
  return { ...problem, errors: issues.issues.map((issue) => ({ field: issue.path.join("."), detail: issue.message })) };
}
