import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Credentials } from "./credentials.ts";

const envelope = z.union([
  z.object({ result: z.object({ data: z.unknown().optional() }) }),
  z.object({ error: z.object({ message: z.string() }) }),
  z.object({ message: z.string() }),
]);

export type ProcedureCall<T extends z.ZodType> = { kind: "query" | "mutation"; path: string; input?: unknown; output: T };

/** Calls one tRPC procedure of the control plane with an API token. @throws what it answers, or unavailable. */
export async function callProcedure<T extends z.ZodType>(credentials: Credentials, call: ProcedureCall<T>): Promise<z.output<T>> {
  const { url, token } = credentials;
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = call.input === undefined ? undefined : JSON.stringify(call.input);
  const search = call.kind === "query" && body !== undefined ? `?input=${encodeURIComponent(body)}` : "";
  const init = call.kind === "query" ? { headers } : { method: "POST", headers, ...(body === undefined ? {} : { body }) };
  const response = await fetch(`${url}/api/trpc/${call.path}${search}`, { ...init, redirect: "error" }).catch((error: unknown) => {
    throw new FlotillaError("unavailable", `${url} cannot be reached`, { cause: error });
  });
  const answer = envelope.safeParse(await response.json().catch(() => undefined));
  if (!answer.success)
    throw new FlotillaError("unavailable", `${url} does not answer like a Flotilla control plane (status ${response.status})`);
  if ("result" in answer.data) return call.output.parse(answer.data.result.data);
  throw new FlotillaError(
    response.status === 401 ? "unauthenticated" : "invalid",
    "error" in answer.data ? answer.data.error.message : answer.data.message,
  );
}
