"use client";

import { useQuery } from "@tanstack/react-query";
import { useParams } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { DetailPage } from "@/components/frame/detail-page.tsx";
import { lazyPart } from "@/components/frame/lazy-part.tsx";
import { useParsed } from "@/components/frame/loadable.ts";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { ContainerHeader } from "@/components/containers/container-header.tsx";
import type { ContainerTabProps } from "@/components/containers/container-page-types.ts";
import { ContainerStatus } from "@/components/containers/container-status.tsx";
import { containerInspectSchema } from "@/lib/inspect.ts";
import { useTRPC } from "@/trpc/client.ts";

// Loaded when their tab is opened: together they are larger than the rest of the page.
const ContainerLog = lazyPart(() => import("@/components/logs/container-log.tsx").then((found) => found.ContainerLog));
const StatsView = lazyPart(() => import("@/components/stats/stats-view.tsx").then((found) => found.StatsView));
const TerminalView = lazyPart(() => import("@/components/terminal/terminal-view.tsx").then((found) => found.TerminalView));
const ContainerTop = lazyPart(() => import("@/components/containers/container-top.tsx").then((found) => found.ContainerTop));
const ContainerMounts = lazyPart(() => import("@/components/containers/container-mounts.tsx").then((found) => found.ContainerMounts));
const ContainerInspect = lazyPart(() => import("@/components/containers/container-inspect.tsx").then((found) => found.ContainerInspect));

const NEEDS = { logs: "container.logs", terminal: "container.terminal", processes: "container.processes" } as const;
const TABS = ["status", "logs", "terminal", "stats", "processes", "mounts", "inspect"] as const;
type TabId = (typeof TABS)[number];

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
      <UrlTabs label={t("tabsLabel")} ids={TABS} words={(id) => t(`tabs.${id}`)} content={content} needs={NEEDS} host={props.host} />
    </>
  );
}
