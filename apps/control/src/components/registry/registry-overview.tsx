"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { CleanupPanel } from "@/components/registry/cleanup-panel.tsx";
import { RepositoryList } from "@/components/registry/repository-list.tsx";
import { UpstreamsPanel } from "@/components/registry/upstreams-panel.tsx";
import { UsagePanel } from "@/components/registry/usage-panel.tsx";
import { Tabs } from "@/components/ui/tabs.tsx";
import { useMe } from "@/components/use-me.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { oneOf } from "@/lib/url-state.ts";

const TABS = ["repositories", "upstreams", "space"] as const;

/** The registry: its repositories, those that it copies from, and the space that they take. */
export function RegistryOverview(): ReactNode {
  const t = useTranslations("registry");
  const url = useUrlState();
  const me = useMe();
  const tab = oneOf(url.get("tab"), TABS);
  return (
    <Tabs
      label={t("tabs.label")}
      value={tab}
      onChange={(id) => url.set({ tab: id === "repositories" ? null : id })}
      items={[
        { id: "repositories", label: t("tabs.repositories"), content: () => <RepositoryList /> },
        { id: "upstreams", label: t("tabs.upstreams"), content: () => <UpstreamsPanel /> },
        {
          id: "space",
          label: t("tabs.space"),
          content: () => (
            <div className="space-y-4">
              <UsagePanel isAdmin={me?.user.isInstanceAdmin ?? false} />
              {me?.user.isInstanceAdmin === true ? <CleanupPanel /> : null}
            </div>
          ),
        },
      ]}
    />
  );
}
