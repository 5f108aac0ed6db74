"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Meter } from "@/components/ui/meter.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { Sparkline } from "@/components/ui/sparkline.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { formatBytes, formatPercent } from "@/lib/format.ts";
import { percentOf, totalCapacity } from "@/lib/host-state.ts";
import { useTRPC } from "@/trpc/client.ts";

/** CPU, memory and disk of all hosts that answer, together, now and in the last hour. */
export function CapacityPanel(): ReactNode {
  const t = useTranslations("overview");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.hosts.list.queryOptions());
  const { data: history } = useQuery(trpc.overview.history.queryOptions());
  if (data === undefined) return <Skeleton className="h-56" />;
  const total = totalCapacity(data);
  const rows = [
    { label: t("cpu"), percent: total.cpuPercent, text: t("cores", { count: total.cpus }), past: history?.cpuPercent ?? [] },
    {
      label: t("memory"),
      percent: percentOf(total.memoryUsedBytes, total.memoryTotalBytes),
      text: `${formatBytes(total.memoryUsedBytes)} / ${formatBytes(total.memoryTotalBytes)}`,
      past: history?.memoryPercent ?? [],
    },
    {
      label: t("disk"),
      percent: percentOf(total.diskUsedBytes, total.diskTotalBytes),
      text: `${formatBytes(total.diskUsedBytes)} / ${formatBytes(total.diskTotalBytes)}`,
      past: null,
    },
  ];
  return (
    <Panel title={t("capacity")} actions={<span className="text-xs text-muted">{t("capacityOf", { count: total.hosts })}</span>}>
      {total.hosts === 0 ? (
        <p className="text-sm text-muted">{t("noHosts")}</p>
      ) : (
        <div className="space-y-4">
          {rows.map((row) => (
            <div key={row.label}>
              <div className="mb-1.5 grid grid-cols-[4rem_minmax(0,1fr)_auto] items-center gap-x-3 text-sm">
                <span>{row.label}</span>
                {row.past === null ? <span /> : <Sparkline values={row.past} />}
                <span className="tnum text-xs text-muted">{row.text}</span>
              </div>
              <Meter percent={row.percent} label={row.label} text={formatPercent(Math.round(row.percent))} />
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}
