"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { CleanupPanel } from "@/components/registry/cleanup-panel.tsx";
import { RepositoryList } from "@/components/registry/repository-list.tsx";
import { UpstreamsPanel } from "@/components/registry/upstreams-panel.tsx";
import { UsagePanel } from "@/components/registry/usage-panel.tsx";
import { useMe } from "@/components/use-me.ts";

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
