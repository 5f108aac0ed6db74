"use client";

import { useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

export type ContainerTopProps = { host: string; id: string; isRunning: boolean };

/** Processes inside the container, as `docker top` lists them. */
export function ContainerTop({ host, id, isRunning }: ContainerTopProps): ReactNode {
  const t = useTranslations("container.top");
  const trpc = useTRPC();
  const query = useQuery(trpc.containers.top.queryOptions({ host, id }, { enabled: isRunning, staleTime: 0 }));
  if (!isRunning) return <EmptyState title={t("stoppedTitle")} body={t("stoppedBody")} />;
  if (query.isPending) return <Skeleton className="h-40" />;
  if (query.isError) return <ErrorState title={t("failed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const titles = query.data.titles;
  const rows = query.data.processes;
  return (
    <div className="space-y-3">
      <div className="flex items-center justify-between">
        <span className="tnum text-sm text-muted">{t("count", { count: rows.length })}</span>
        <Button onClick={() => void query.refetch()} isPending={query.isFetching}>
          <RefreshCw />
          {t("refresh")}
        </Button>
      </div>
      <div tabIndex={0} className="overflow-x-auto rounded-lg border bg-panel">
        <table className="w-full text-left font-mono text-xs">
          <thead className="border-b text-muted">
            <tr>
              {titles.map((title) => (
                <th key={title} scope="col" className="h-9 px-3 font-normal whitespace-nowrap">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((cells, row) => (
              <tr key={cells[titles.indexOf("PID")] ?? row} className="border-b last:border-b-0 hover:bg-hover">
                {cells.map((cell, column) => (
                  <td
                    key={titles[column] ?? column}
                    className={column === titles.length - 1 ? "min-w-64 px-3 py-1.5 break-all" : "tnum px-3 py-1.5 whitespace-nowrap"}
                  >
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
