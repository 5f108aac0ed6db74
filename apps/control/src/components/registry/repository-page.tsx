"use client";

import { useQuery } from "@tanstack/react-query";
import { useParams } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { DetailHeader, DetailPage } from "@/components/frame/detail-page.tsx";
import { lazyPart } from "@/components/frame/lazy-part.tsx";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { TagList } from "@/components/registry/tag-list.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useMay } from "@/components/may.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { formatBytes } from "@/lib/format.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { RepositoryDetail } from "@/trpc/types.ts";

const ManifestView = lazyPart(() => import("@/components/registry/manifest-view.tsx").then((found) => found.ManifestView));
const RetentionPanel = lazyPart(() => import("@/components/registry/retention-panel.tsx").then((found) => found.RetentionPanel));
const RepositorySettings = lazyPart(() =>
  import("@/components/registry/repository-settings.tsx").then((found) => found.RepositorySettings),
);

type TabId = "tags" | "retention" | "settings";
const READER_TABS: readonly [TabId] = ["tags"];
const MANAGER_TABS: readonly [TabId, ...TabId[]] = ["tags", "retention", "settings"];

/** One repository: its tags, an image of it (`?ref=`), what is kept, and who may read it. */
export function RepositoryPage(): ReactNode {
  const t = useTranslations("registry");
  const trpc = useTRPC();
  const params = useParams<{ path: string[] }>();
  const path = params.path.map(decodeURIComponent).join("/");
  const query = useQuery(trpc.registry.repositories.get.queryOptions({ repository: path }));
  return (
    <DetailPage name={path} query={query} failed={t("repository.loadFailed", { name: path })} parent="/registry" hasTabs>
      {(repository) => <Loaded path={path} repository={repository} />}
    </DetailPage>
  );
}

function Loaded({ path, repository }: { path: string; repository: RepositoryDetail }): ReactNode {
  const t = useTranslations("registry");
  const isManager = useMay()("registry.manage");
  const reference = useUrlState().get("ref");
  return (
    <>
      <DetailHeader
        title={path}
        status={<Badge tone={repository.isPublic ? "info" : "idle"}>{repository.isPublic ? t("public") : t("private")}</Badge>}
        facts={[repository.immutableTags === null ? null : <Badge>{t("immutable")}</Badge>, formatBytes(repository.sizeBytes)]}
      />
      {repository.description === "" ? null : <p className="mb-3 text-sm text-muted">{repository.description}</p>}
      {reference === null ? (
        <UrlTabs
          label={t("repository.tabsLabel")}
          ids={isManager ? MANAGER_TABS : READER_TABS}
          words={(id) => t(`repository.tabs.${id}`)}
          content={{
            tags: () => <TagList repository={path} />,
            retention: () => <RetentionPanel repository={repository} />,
            settings: () => <RepositorySettings repository={repository} />,
          }}
        />
      ) : (
        <ManifestView repository={path} reference={reference} />
      )}
    </>
  );
}
