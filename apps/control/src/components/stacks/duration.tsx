"use client";

import type { ReactNode } from "react";
import { Uptime } from "@/components/time-ago.tsx";
import { formatDuration, parseTime } from "@/lib/format.ts";
import type { DeploymentRow } from "@/trpc/types.ts";

/** How long a deployment took, or takes so far. */
export function Duration({ row }: { row: DeploymentRow }): ReactNode {
  const started = parseTime(row.startedAt) ?? 0;
  const finished = parseTime(row.finishedAt);
  return finished === null ? <Uptime since={started} /> : <span className="tnum">{formatDuration(finished - started)}</span>;
}
