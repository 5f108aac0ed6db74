"use client";

import { useQuery } from "@tanstack/react-query";
import { useParams } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { DetailPage } from "@/components/frame/detail-page.tsx";
import { lazyPart } from "@/components/frame/lazy-part.tsx";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { StackHeader } from "@/components/stacks/stack-header.tsx";
import { StackServices } from "@/components/stacks/stack-services.tsx";
import { useTRPC } from "@/trpc/client.ts";
import type { StackDetails } from "@/trpc/types.ts";

const DeploymentHistory = lazyPart(() => import("@/components/stacks/deployment-history.tsx").then((found) => found.DeploymentHistory));
const StackLog = lazyPart(() => import("@/components/stacks/stack-log.tsx").then((found) => found.StackLog));
const RevisionsTab = lazyPart(() => import("@/components/stacks/revisions-tab.tsx").then((found) => found.RevisionsTab));
const StackVariables = lazyPart(() => import("@/components/stacks/stack-variables.tsx").then((found) => found.StackVariables));

const NEEDS = { revisions: "stack.inspect", logs: "stack.logs" } as const;
const TABS = ["services", "deployments", "revisions", "logs", "variables"] as const;
type TabId = (typeof TABS)[number];

/** One stack: what runs and where first, then how it came to be so. */
export function StackPage(): ReactNode {
  const t = useTranslations("stacks.stack");
  const trpc = useTRPC();
  const name = decodeURIComponent(useParams<{ stack: string }>().stack);
  const query = useQuery(trpc.stacks.get.queryOptions({ stack: name }));
  return (
    <DetailPage name={name} query={query} failed={t("loadFailed", { name })} parent="/stacks" hasTabs>
      {(stack) => <Loaded stack={stack} />}
    </DetailPage>
  );
}

function Loaded({ stack }: { stack: StackDetails }): ReactNode {
  const t = useTranslations("stacks.stack");
  const content: Record<TabId, () => ReactNode> = {
    services: () => <StackServices stack={stack} />,
    deployments: () => <DeploymentHistory stack={stack.name} />,
    revisions: () => <RevisionsTab stack={stack} />,
    logs: () => <StackLog stack={stack} />,
    variables: () => <StackVariables stack={stack.name} />,
  };
  return (
    <>
      <StackHeader stack={stack} />
      <UrlTabs
        label={t("tabsLabel")}
        ids={TABS}
        words={(id) => t(`tabs.${id}`)}
        content={content}
        needs={NEEDS}
        resets={["deployment", "service"]}
      />
    </>
  );
}
