"use client";

import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { ActivityLine } from "@/components/activity/activity-line.tsx";
import { AttentionList } from "@/components/overview/attention-list.tsx";
import { CapacityPanel } from "@/components/overview/capacity-panel.tsx";
import { FirstSteps } from "@/components/overview/first-steps.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { Overview as OverviewData } from "@/trpc/types.ts";

/** What needs someone now, worst first; then how full everything is, and what happened last. */
export function Overview(): ReactNode {
  const t = useTranslations("overview");
  const trpc = useTRPC();
  const query = useQuery(trpc.overview.get.queryOptions());
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <OverviewSkeleton />;
  const { attention, containers, activity } = query.data;
  const total = Object.values(containers).reduce((sum, count) => sum + count, 0);
  return (
    <div className="space-y-4">
      {attention.length === 0 ? <Calm /> : <AttentionList items={attention} />}
      {total === 0 ? <FirstSteps /> : null}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.2fr)]">
        <div className="space-y-4">
          <CapacityPanel />
          <Counts data={query.data} />
        </div>
        <Panel
          title={t("activity")}
          isFlush
          actions={
            <Link href="/activity" className="text-xs text-muted hover:text-ink hover:underline">
              {t("allActivity")}
            </Link>
          }
        >
          {activity.length === 0 ? (
            <p className="p-4 text-sm text-muted">{t("noActivity")}</p>
          ) : (
            <ul>
              {activity.map((row) => (
                <ActivityLine key={row.id} row={row} />
              ))}
            </ul>
          )}
        </Panel>
      </div>
    </div>
  );
}

function Calm(): ReactNode {
  const t = useTranslations("overview");
  return (
    <p role="status" className="flex h-11 items-center gap-2.5 rounded-lg border bg-panel px-4 text-sm">
      <CircleCheck aria-hidden className="size-4 text-ok" />
      {t("calm")}
    </p>
  );
}

function Counts({ data }: { data: OverviewData }): ReactNode {
  const t = useTranslations("overview");
  const { hosts, containers } = data;
  const stopped = containers.exited + containers.created + containers.dead;
  const items = [
    { label: t("hostsOnline"), value: `${hosts.online} / ${hosts.online + hosts.offline + hosts.never}`, href: "/hosts" },
    {
      label: t("running"),
      value: String(containers.running + containers.paused + containers.restarting),
      href: "/containers?state=running",
    },
    { label: t("stopped"), value: String(stopped), href: "/containers?state=stopped" },
  ];
  return (
    <ul className="grid grid-cols-3 divide-x rounded-lg border bg-panel">
      {items.map((item) => (
        <li key={item.label}>
          <Link href={item.href} className="block px-4 py-3 hover:bg-hover focus-visible:-outline-offset-2">
            <span className="tnum block text-lg font-semibold">{item.value}</span>
            <span className="block truncate text-xs text-muted">{item.label}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function OverviewSkeleton(): ReactNode {
  return (
    <div className="space-y-4">
      <Skeleton className="h-11" />
      <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.2fr)]">
        <Skeleton className="h-64" />
        <Skeleton className="h-64" />
      </div>
    </div>
  );
}
