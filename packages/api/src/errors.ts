import { type ErrorCode, FlotillaError } from "@flotilla/core";
import { asServiceError } from "@flotilla/services";
import { TRPCError } from "@trpc/server";
import { z } from "zod";

type TrpcCode = TRPCError["code"];

const TRPC_CODE: Readonly<Record<ErrorCode, TrpcCode>> = {
  invalid: "BAD_REQUEST",
  unauthenticated: "UNAUTHORIZED",
  forbidden: "FORBIDDEN",
  not_found: "NOT_FOUND",
  conflict: "CONFLICT",
  not_modified: "CONFLICT",
  gone: "NOT_FOUND",
  too_large: "PAYLOAD_TOO_LARGE",
  range: "BAD_REQUEST",
  rate_limited: "TOO_MANY_REQUESTS",
  not_implemented: "NOT_IMPLEMENTED",
  unavailable: "SERVICE_UNAVAILABLE",
  exhausted: "PRECONDITION_FAILED",
  internal: "INTERNAL_SERVER_ERROR",
};

const HIDDEN = "something went wrong in the control plane; its log says what";

/** The tRPC error for anything thrown. Messages of unknown errors stay inside; an engine's own message goes to the user. */
export function toTrpcError(error: unknown): TRPCError {
  if (error instanceof FlotillaError) {
    return new TRPCError({ code: TRPC_CODE[error.code], message: isForPeople(error) ? error.message : HIDDEN, cause: error });
  }
  if (error instanceof TRPCError) {
    const cause = asServiceError(error.cause);
    if (cause instanceof FlotillaError) return toTrpcError(cause);
    if (error.cause instanceof z.ZodError)
      return new TRPCError({ code: error.code, message: describeIssues(error.cause), cause: error.cause });
    return error.code === "INTERNAL_SERVER_ERROR" ? new TRPCError({ code: error.code, message: HIDDEN, cause: error.cause }) : error;
  }
  const known = asServiceError(error);
  if (known !== error) return toTrpcError(known);
  return new TRPCError({ code: "INTERNAL_SERVER_ERROR", message: HIDDEN, cause: error });
}

function isForPeople(error: FlotillaError): boolean {
  return error.code !== "internal" || error.details["fromEngine"] === true;
}

function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`)).join("; ");
}
