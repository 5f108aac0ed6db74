"use client";

import { May } from "@/components/may.tsx";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
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

/** What hosts see of each other changes all the time, so no event tells of it: it is asked again each minute. */
const MESH_MS = 60_000;

/** What needs someone now, worst first; then how full everything is, and what happened last. */
export function Overview(): ReactNode {
  const t = useTranslations("overview");
  const trpc = useTRPC();
  const query = useQuery(trpc.overview.get.queryOptions(undefined, { refetchInterval: MESH_MS }));
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <OverviewSkeleton />;
  const { attention, containers, activity } = query.data;
  const total = Object.values(containers).reduce((sum, count) => sum + count, 0);
  return (
    <div className="space-y-4">
      {attention.length === 0 ? <Calm /> : <AttentionList items={attention} />}
      {total === 0 ? <FirstSteps /> : null}
      <Counts data={query.data} />
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.2fr)]">
        <CapacityPanel />
        <May right="audit.read">
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
        </May>
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

/** Calm figures, each a link to what it counts. */
function Counts({ data }: { data: OverviewData }): ReactNode {
  const t = useTranslations("overview");
  const { hosts, containers, stacks } = data;
  const stopped = containers.exited + containers.created + containers.dead;
  const items = [
    { label: t("hostsOnline"), value: hosts.online, of: hosts.online + hosts.offline + hosts.never, href: "/hosts" },
    ...(stacks === null ? [] : [{ label: t("stacks"), value: stacks, of: null, href: "/stacks" }]),
    {
      label: t("running"),
      value: containers.running + containers.paused + containers.restarting,
      of: null,
      href: "/containers?state=running",
    },
    { label: t("stopped"), value: stopped, of: null, href: "/containers?state=stopped" },
  ];
  return (
    <ul className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-line sm:auto-cols-fr sm:grid-flow-col sm:grid-cols-none">
      {items.map((item) => (
        <li key={item.label} className="bg-panel">
          <Link href={item.href} className="block px-4 py-3 hover:bg-hover focus-visible:-outline-offset-2">
            <span className="tnum block text-xl font-semibold tracking-tight">
              {item.value}
              {item.of === null ? null : <span className="text-base font-normal text-muted"> / {item.of}</span>}
            </span>
            <span className="block truncate text-xs text-muted">{item.label}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** The calm page's heights: most days it is what comes. */
function OverviewSkeleton(): ReactNode {
  return (
    <div className="space-y-4">
      <Skeleton className="h-11" />
      <Skeleton className="h-36 sm:h-[4.625rem]" />
      <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.2fr)]">
        <Skeleton className="h-56" />
        <Skeleton className="h-64" />
      </div>
    </div>
  );
}
