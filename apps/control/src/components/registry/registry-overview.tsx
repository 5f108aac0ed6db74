"use client";

import dynamic from "next/dynamic";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { RepositoryList } from "@/components/registry/repository-list.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { useMe } from "@/components/use-me.ts";

function TabSkeleton(): ReactNode {
  return <Skeleton className="h-40" />;
}

const UpstreamsPanel = dynamic(() => import("@/components/registry/upstreams-panel.tsx").then((found) => found.UpstreamsPanel), {
  loading: TabSkeleton,
});
const UsagePanel = dynamic(() => import("@/components/registry/usage-panel.tsx").then((found) => found.UsagePanel), {
  loading: TabSkeleton,
});
const CleanupPanel = dynamic(() => import("@/components/registry/cleanup-panel.tsx").then((found) => found.CleanupPanel), {
  loading: TabSkeleton,
});

const TABS = ["repositories", "upstreams", "space"] as const;

/** The registry: its repositories, those that it copies from, and the space that they take. */
export function RegistryOverview(): ReactNode {
  const t = useTranslations("registry");
  const me = useMe();
  return (
    <UrlTabs
      label={t("tabs.label")}
      ids={TABS}
      words={(id) => t(`tabs.${id}`)}
      content={{
        repositories: () => <RepositoryList />,
        upstreams: () => <UpstreamsPanel />,
        space: () => (
          <div className="space-y-4">
            <UsagePanel isAdmin={me?.user.isInstanceAdmin ?? false} />
            {me?.user.isInstanceAdmin === true ? <CleanupPanel /> : null}
          </div>
        ),
      }}
    />
  );
}
