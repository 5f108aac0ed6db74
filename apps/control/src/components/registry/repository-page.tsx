"use client";

import { useQuery } from "@tanstack/react-query";
import { useParams } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { PageTitle } from "@/components/page-title.tsx";
import { ManifestView } from "@/components/registry/manifest-view.tsx";
import { RepositorySettings } from "@/components/registry/repository-settings.tsx";
import { RetentionPanel } from "@/components/registry/retention-panel.tsx";
import { TagList } from "@/components/registry/tag-list.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { type TabItem, Tabs } from "@/components/ui/tabs.tsx";
import { useMay } from "@/components/use-me.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { formatBytes } from "@/lib/format.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const TABS = ["tags", "retention", "settings"] as const;
type TabId = (typeof TABS)[number];

/** One repository: its tags, an image of it (`?ref=`), what is kept, and who may read it. */
export function RepositoryPage(): ReactNode {
  const t = useTranslations("registry");
  const trpc = useTRPC();
  const url = useUrlState();
  const params = useParams<{ path: string[] }>();
  const path = params.path.map(decodeURIComponent).join("/");
  const query = useQuery(trpc.registry.repositories.get.queryOptions({ repository: path }));
  const reference = url.get("ref");
  if (query.isPending) return <Skeleton className="h-72" />;
  if (query.isError) {
    return (
      <>
        <PageTitle text={path} isHidden />
        <ErrorState
          title={t("repository.loadFailed", { name: path })}
          message={errorMessage(query.error)}
          onRetry={() => void query.refetch()}
        />
      </>
    );
  }
  const repository = query.data;
  const isManager = useMay("registry.manage");
  const tab = TABS.find((id) => id === url.get("tab")) ?? "tags";
  const items: TabItem<TabId>[] = [
    { id: "tags", label: t("repository.tabs.tags"), content: () => <TagList repository={path} /> },
    ...(isManager
      ? [
          { id: "retention" as const, label: t("repository.tabs.retention"), content: () => <RetentionPanel repository={repository} /> },
          { id: "settings" as const, label: t("repository.tabs.settings"), content: () => <RepositorySettings repository={repository} /> },
        ]
      : []),
  ];
  return (
    <>
      <PageTitle text={path} />
      <PageHeader
        title={path}
        meta={
          <>
            <Badge tone={repository.isPublic ? "info" : "idle"}>{repository.isPublic ? t("public") : t("private")}</Badge>
            {repository.immutableTags === null ? null : <Badge>{t("immutable")}</Badge>}
            <span className="tnum text-sm text-muted">{formatBytes(repository.sizeBytes)}</span>
          </>
        }
      />
      {repository.description === "" ? null : <p className="mb-3 text-sm text-muted">{repository.description}</p>}
      {reference === null ? (
        <Tabs label={t("repository.tabsLabel")} items={items} value={tab} onChange={(id) => url.set({ tab: id === "tags" ? null : id })} />
      ) : (
        <ManifestView repository={path} reference={reference} />
      )}
    </>
  );
}
