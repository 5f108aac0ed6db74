import type { HostState } from "@flotilla/db";
import { resourceFailure, type ResourceFailure } from "@flotilla/protocol";
import { z } from "zod";
import type { ServiceContext } from "../context.ts";

/** How far a host is with its desired state. `none`: nothing was composed for it yet, or it never reported. */
export type DesiredStateSummary = {
  state: "none" | "applied" | "behind" | "failing";
  generation: number;
  appliedGeneration: number | null;
  appliedAt: string | null;
  failures: ResourceFailure[];
};

const failuresSchema = z.array(resourceFailure);

/** For the host's page. */
export async function readHostState(services: ServiceContext, hostId: string): Promise<DesiredStateSummary> {
  return summariseHostState(await services.prisma.hostState.findUnique({ where: { hostId } }));
}

/** Pure. A host that applied another document under the same number is behind. */
export function summariseHostState(row: HostState | null): DesiredStateSummary {
  const generation = Number(row?.generation ?? 0);
  const appliedGeneration = row?.appliedGeneration == null ? null : Number(row.appliedGeneration);
  const parsed = failuresSchema.safeParse(row?.failures ?? []);
  const failures = parsed.success ? parsed.data : [];
  const appliedAt = row?.appliedAt?.toISOString() ?? null;
  const isCurrent = appliedGeneration === generation && row?.appliedHash === row?.hash;
  const state = appliedGeneration === null ? "none" : !isCurrent ? "behind" : failures.length > 0 ? "failing" : "applied";
  return { state, generation, appliedGeneration, appliedAt, failures };
}
