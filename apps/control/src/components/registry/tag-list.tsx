"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useCallback, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ListPage } from "@/components/frame/list-page.tsx";
import { PushCommands } from "@/components/registry/push-commands.tsx";
import type { Column } from "@/components/table/columns.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { repositoryHref, shortDigest } from "@/lib/registry-path.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { TagRow } from "@/trpc/types.ts";

/** Tags of a repository: what they point to, how large, who pushed them and when. */
export function TagList({ repository }: { repository: string }): ReactNode {
  const t = useTranslations("registry.tags");
  const empty = useTranslations("registry.repository");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.registry.tags.list.queryOptions({ repository }));
  const removal = useAsked(async (tag: TagRow) => {
    await client.registry.tags.delete.mutate({ repository, tag: tag.name });
    await queryClient.invalidateQueries({ queryKey: trpc.registry.pathKey() });
  });
  const columns = useTagColumns(repository, removal.ask);
  const href = useCallback((tag: TagRow) => tagHref(repository, tag), [repository]);
  return (
    <ListPage
      words={{
        title: t("label"),
        filter: t("filter"),
        loadFailed: empty("loadFailed", { name: repository }),
        emptyTitle: empty("emptyTitle"),
        emptyBody: empty("emptyBody"),
      }}
      query={query}
      rows={query.data}
      textOf={textOf}
      columns={columns}
      rowId={nameOf}
      href={href}
      initialSort={{ id: "pushed", isDescending: true }}
      empty={
        <May right="registry.push">
          <PushCommands repository={repository} />
        </May>
      }
    >
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("deleteTitle", { name: removal.subject?.name ?? "" })}
        body={<p>{t("deleteBody")}</p>}
        confirmLabel={t("deleteAction")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </ListPage>
  );
}

const nameOf = (tag: TagRow): string => tag.name;
const textOf = (tag: TagRow): string => `${tag.name} ${tag.digest}`;

function tagHref(repository: string, tag: TagRow): string {
  return `${repositoryHref(repository)}?ref=${encodeURIComponent(tag.name)}`;
}

function useTagColumns(repository: string, onDelete: (tag: TagRow) => void): Column<TagRow>[] {
  const t = useTranslations("registry.tags");
  return useMemo(
    () => [
      {
        id: "name",
        header: t("name"),
        width: "minmax(0,1.5fr)",
        sortBy: (tag) => tag.name,
        cell: (tag) => (
          <Link href={tagHref(repository, tag)} className="block truncate font-medium hover:underline">
            {tag.name}
          </Link>
        ),
      },
      {
        id: "digest",
        header: t("digest"),
        width: "7.5rem",
        hideBelow: "md",
        cell: (tag) => (
          <code className="font-mono text-xs text-muted" title={tag.digest}>
            {shortDigest(tag.digest)}
          </code>
        ),
      },
      {
        id: "platforms",
        header: t("platforms"),
        width: "minmax(0,1fr)",
        hideBelow: "lg",
        cell: (tag) => <span className="block truncate text-muted">{tag.platforms.join(", ")}</span>,
      },
      {
        id: "size",
        header: t("size"),
        width: "5.5rem",
        isRight: true,
        sortBy: (tag) => tag.sizeBytes,
        cell: (tag) => <span className="tnum">{formatBytes(tag.sizeBytes)}</span>,
      },
      {
        id: "by",
        header: t("pushedBy"),
        width: "minmax(0,1fr)",
        hideBelow: "md",
        sortBy: (tag) => tag.pushedBy,
        cell: (tag) => <span className="block truncate text-muted">{tag.pushedBy}</span>,
      },
      {
        id: "pushed",
        header: t("pushed"),
        width: "7rem",
        hideBelow: "sm",
        isRight: true,
        sortBy: (tag) => parseTime(tag.pushedAt) ?? 0,
        cell: (tag) => <Time time={parseTime(tag.pushedAt)} />,
      },
      {
        id: "pulled",
        header: t("pulled"),
        width: "7rem",
        hideBelow: "lg",
        isRight: true,
        sortBy: (tag) => parseTime(tag.pulledAt) ?? 0,
        cell: (tag) => <Time time={parseTime(tag.pulledAt)} />,
      },
      {
        id: "actions",
        header: "",
        width: "2rem",
        isRight: true,
        cell: (tag) => (
          <May right="registry.delete">
            <Button variant="ghost" size="icon" aria-label={t("delete", { name: tag.name })} onClick={() => onDelete(tag)}>
              <Trash2 />
            </Button>
          </May>
        ),
      },
    ],
    [t, repository, onDelete],
  );
}

function Time({ time }: { time: number | null }): ReactNode {
  const t = useTranslations("registry.tags");
  return <span className="text-muted">{time === null ? t("neverPulled") : <TimeAgo time={time} />}</span>;
}
