"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useParams } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { PageTitle } from "@/components/page-title.tsx";
import { DeploymentsTab } from "@/components/stacks/deployments-tab.tsx";
import { StackHeader } from "@/components/stacks/stack-header.tsx";
import { StackServices } from "@/components/stacks/stack-services.tsx";
import { StackVariables } from "@/components/stacks/stack-variables.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Tabs } from "@/components/ui/tabs.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { oneOf } from "@/lib/url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { StackDetails } from "@/trpc/types.ts";

function TabSkeleton(): ReactNode {
  return <Skeleton className="h-[28rem]" />;
}

const StackLog = dynamic(() => import("@/components/stacks/stack-log.tsx").then((found) => found.StackLog), { loading: TabSkeleton });
const RevisionsTab = dynamic(() => import("@/components/stacks/revisions-tab.tsx").then((found) => found.RevisionsTab), {
  loading: TabSkeleton,
});

const TABS = ["services", "deployments", "revisions", "logs", "variables"] as const;
type TabId = (typeof TABS)[number];

/** One stack: what runs and where first, then how it came to be so. */
export function StackPage(): ReactNode {
  const t = useTranslations("stacks.stack");
  const trpc = useTRPC();
  const name = decodeURIComponent(useParams<{ stack: string }>().stack);
  const query = useQuery(trpc.stacks.get.queryOptions({ stack: name }));
  if (query.isPending) {
    return (
      <>
        <PageTitle text={name} isHidden />
        <Skeleton className="mb-4 h-8 w-48" />
        <Skeleton className="mb-4 h-9" />
        <Skeleton className="h-72" />
      </>
    );
  }
  if (query.isError) {
    return (
      <>
        <PageTitle text={name} isHidden />
        <ErrorState title={t("loadFailed", { name })} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      </>
    );
  }
  return <Loaded stack={query.data} />;
}

function Loaded({ stack }: { stack: StackDetails }): ReactNode {
  const t = useTranslations("stacks.stack");
  const url = useUrlState();
  const content: Record<TabId, () => ReactNode> = {
    services: () => <StackServices stack={stack} />,
    deployments: () => <DeploymentsTab stack={stack.name} />,
    revisions: () => <RevisionsTab stack={stack} />,
    logs: () => <StackLog stack={stack} />,
    variables: () => <StackVariables stack={stack.name} />,
  };
  return (
    <>
      <PageTitle text={stack.name} />
      <StackHeader stack={stack} />
      <Tabs
        label={t("tabsLabel")}
        value={oneOf(url.get("tab"), TABS)}
        onChange={(tab) => url.set({ tab: tab === "services" ? null : tab, deployment: null, service: null })}
        items={TABS.map((id) => ({ id, label: t(`tabs.${id}`), content: content[id] }))}
      />
    </>
  );
}
