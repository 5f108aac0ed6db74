import { toFlotillaError } from "@flotilla/core";
import type { ServiceContext } from "../context.ts";
import { type AuditEntry, clean, finishAudit, recordAudit } from "./record.ts";

/**
 * Runs something that tells of itself while it works (a pull, a build) under audit, as `audited` does for a single call. A
 * caller who goes away before the end leaves the row `failed` with the words "cancelled": the engine stops with its caller.
 */
export async function* auditedStream<T>(
  services: ServiceContext,
  entry: Omit<AuditEntry, "outcome">,
  { signal, work }: { signal: AbortSignal; work: () => AsyncIterable<T> },
): AsyncGenerator<T> {
  const id = await recordAudit(services.prisma, { ...entry, outcome: "started" });
  const detail = entry.detail ?? {};
  const cancelled = { outcome: "failed" as const, detail: { ...detail, error: "cancelled" } };
  let end: Parameters<typeof finishAudit>[2] = cancelled;
  try {
    yield* work();
    end = { outcome: "ok", detail };
  } catch (error) {
    // What an aborted call throws is only the echo of its caller's leaving.
    if (!signal.aborted) end = { outcome: "failed", detail: { ...detail, error: clean(toFlotillaError(error).message) } };
    throw error;
  } finally {
    await finishAudit(services, id, end);
  }
}
