"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useParams } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { DetailPage } from "@/components/frame/detail-page.tsx";
import { useParsed } from "@/components/frame/loadable.ts";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { ContainerHeader } from "@/components/containers/container-header.tsx";
import { ContainerInspect } from "@/components/containers/container-inspect.tsx";
import { ContainerMounts } from "@/components/containers/container-mounts.tsx";
import type { ContainerTabProps } from "@/components/containers/container-page-types.ts";
import { ContainerStatus } from "@/components/containers/container-status.tsx";
import { ContainerTop } from "@/components/containers/container-top.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { containerInspectSchema } from "@/lib/inspect.ts";
import { useTRPC } from "@/trpc/client.ts";

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
  const query = useParsed(useQuery(trpc.containers.inspect.queryOptions({ host, id })), containerInspectSchema, t("unreadable"));
  return (
    <DetailPage name={id} query={query} failed={t("loadFailed", { name: id, host })} parent="/containers" hasTabs>
      {({ details, raw }) => <Loaded host={host} details={details} raw={raw} />}
    </DetailPage>
  );
}

function Loaded(props: ContainerTabProps): ReactNode {
  const t = useTranslations("container");
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
      <ContainerHeader host={props.host} details={props.details} />
      <UrlTabs label={t("tabsLabel")} ids={TABS} words={(id) => t(`tabs.${id}`)} content={content} />
    </>
  );
}
