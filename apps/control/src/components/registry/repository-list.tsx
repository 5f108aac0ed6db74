"use client";

import { useQuery } from "@tanstack/react-query";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ListPage } from "@/components/frame/list-page.tsx";
import { PushCommands } from "@/components/registry/push-commands.tsx";
import type { Column } from "@/components/table/columns.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { repositoryHref } from "@/lib/registry-path.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { RepositoryRow } from "@/trpc/types.ts";

/** Repositories of the team; with none the commands that make the first. */
export function RepositoryList(): ReactNode {
  const t = useTranslations("registry");
  const trpc = useTRPC();
  const query = useQuery(trpc.registry.repositories.list.queryOptions());
  const columns = useRepositoryColumns();
  return (
    <ListPage
      words={{ title: t("open"), filter: t("filter"), loadFailed: t("loadFailed"), emptyTitle: t("emptyTitle"), emptyBody: t("emptyBody") }}
      query={query}
      rows={query.data}
      textOf={pathOf}
      columns={columns}
      rowId={pathOf}
      href={hrefOf}
      initialSort={{ id: "name", isDescending: false }}
      empty={<PushCommands />}
    />
  );
}

const pathOf = (row: RepositoryRow): string => row.path;
const hrefOf = (row: RepositoryRow): string => repositoryHref(row.path);

function useRepositoryColumns(): Column<RepositoryRow>[] {
  const t = useTranslations("registry");
  return useMemo(
    () => [
      {
        id: "name",
        header: t("columns.name"),
        width: "minmax(0,2fr)",
        sortBy: (row) => row.path,
        cell: (row) => (
          <Link href={repositoryHref(row.path)} className="block truncate font-medium hover:underline" title={row.description || undefined}>
            {row.path}
          </Link>
        ),
      },
      {
        id: "visibility",
        header: t("columns.visibility"),
        width: "6rem",
        hideBelow: "sm",
        sortBy: (row) => (row.isPublic ? 0 : 1),
        cell: (row) => (row.isPublic ? <Badge tone="info">{t("public")}</Badge> : <span className="text-muted">{t("private")}</span>),
      },
      {
        id: "tags",
        header: t("columns.tags"),
        width: "4rem",
        isRight: true,
        sortBy: (row) => row.tags,
        cell: (row) => <span className="tnum">{row.tags}</span>,
      },
      {
        id: "size",
        header: t("columns.size"),
        width: "6rem",
        isRight: true,
        sortBy: (row) => row.sizeBytes,
        cell: (row) => <span className="tnum text-muted">{formatBytes(row.sizeBytes)}</span>,
      },
      {
        id: "pushed",
        header: t("columns.pushed"),
        width: "minmax(7rem,1fr)",
        hideBelow: "sm",
        isRight: true,
        sortBy: (row) => parseTime(row.pushedAt) ?? 0,
        cell: (row) => <Pushed time={parseTime(row.pushedAt)} />,
      },
    ],
    [t],
  );
}

function Pushed({ time }: { time: number | null }): ReactNode {
  const t = useTranslations("registry");
  return <span className="text-muted">{time === null ? t("empty") : <TimeAgo time={time} />}</span>;
}
