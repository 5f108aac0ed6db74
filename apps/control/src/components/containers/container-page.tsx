"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useParams } from "next/navigation";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ContainerHeader } from "@/components/containers/container-header.tsx";
import { ContainerInspect } from "@/components/containers/container-inspect.tsx";
import { ContainerMounts } from "@/components/containers/container-mounts.tsx";
import type { ContainerTabProps } from "@/components/containers/container-page-types.ts";
import { ContainerStatus } from "@/components/containers/container-status.tsx";
import { ContainerTop } from "@/components/containers/container-top.tsx";
import { PageTitle } from "@/components/page-title.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Tabs } from "@/components/ui/tabs.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { containerInspectSchema } from "@/lib/inspect.ts";
import { oneOf } from "@/lib/url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

// Loaded when their tab is opened: together they are larger than the rest of the page.
const ContainerLog = dynamic(() => import("@/components/logs/container-log.tsx").then((found) => found.ContainerLog), {
  loading: TabSkeleton,
});
const StatsView = dynamic(() => import("@/components/stats/stats-view.tsx").then((found) => found.StatsView), {
  loading: TabSkeleton,
  ssr: false,
});
const TerminalView = dynamic(() => import("@/components/terminal/terminal-view.tsx").then((found) => found.TerminalView), {
  loading: TabSkeleton,
  ssr: false,
});

const TABS = ["status", "logs", "terminal", "stats", "processes", "mounts", "inspect"] as const;
type TabId = (typeof TABS)[number];

function TabSkeleton(): ReactNode {
  return <Skeleton className="h-[28rem]" />;
}

/** One container: what it does now first, then its logs, terminal, figures and settings. */
export function ContainerPage(): ReactNode {
  const t = useTranslations("container");
  const trpc = useTRPC();
  const params = useParams<{ host: string; id: string }>();
  const host = decodeURIComponent(params.host);
  const id = decodeURIComponent(params.id);
  const query = useQuery(trpc.containers.inspect.queryOptions({ host, id }));
  const details = useMemo(() => (query.data === undefined ? undefined : containerInspectSchema.safeParse(query.data)), [query.data]);

  if (query.isPending) return <PageSkeleton title={id} />;
  if (details?.success !== true) {
    const message = query.error === null ? t("unreadable") : errorMessage(query.error);
    return (
      <>
        <PageTitle text={id} isHidden />
        <ErrorState title={t("loadFailed", { name: id, host })} message={message} onRetry={() => void query.refetch()} />
      </>
    );
  }
  return <Loaded host={host} details={details.data} raw={query.data} />;
}

function Loaded(props: ContainerTabProps): ReactNode {
  const t = useTranslations("container");
  const url = useUrlState();
  const content: Record<TabId, () => ReactNode> = {
    status: () => <ContainerStatus {...props} />,
    logs: () => (
      <ContainerLog
        host={props.host}
        id={props.details.Id}
        name={props.details.Name}
        isTty={props.details.Config.Tty}
        startedAt={props.details.State.StartedAt}
      />
    ),
    terminal: () => <TerminalView host={props.host} id={props.details.Id} isRunning={props.details.State.Running} />,
    stats: () => (
      <StatsView
        host={props.host}
        id={props.details.Id}
        isRunning={props.details.State.Running}
        cpus={props.details.HostConfig.NanoCpus / 1e9}
      />
    ),
    processes: () => <ContainerTop host={props.host} id={props.details.Id} isRunning={props.details.State.Running} />,
    mounts: () => <ContainerMounts {...props} />,
    inspect: () => <ContainerInspect raw={props.raw} />,
  };
  return (
    <>
      <PageTitle text={props.details.Name} />
      <ContainerHeader host={props.host} details={props.details} />
      <Tabs
        label={t("tabsLabel")}
        value={oneOf(url.get("tab"), TABS)}
        onChange={(tab) => url.set({ tab: tab === "status" ? null : tab })}
        items={TABS.map((id) => ({ id, label: t(`tabs.${id}`), content: content[id] }))}
      />
    </>
  );
}

function PageSkeleton({ title }: { title: string }): ReactNode {
  return (
    <>
      <PageTitle text={title} isHidden />
      <Skeleton className="mb-4 h-8 w-56" />
      <Skeleton className="mb-4 h-9" />
      <Skeleton className="h-80" />
    </>
  );
}
