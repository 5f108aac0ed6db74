"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { May } from "@/components/may.tsx";
import { DeploymentView } from "@/components/stacks/deployment-view.tsx";
import { Duration } from "@/components/stacks/duration.tsx";
import { OutcomeStatus } from "@/components/stacks/signs.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { Link } from "@/components/ui/link.tsx";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { cn } from "@/lib/cn.ts";
import { parseTime } from "@/lib/format.ts";
import { deployHref } from "@/lib/stack-href.ts";
import { deploymentKind } from "@/lib/stack-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { DeploymentRow } from "@/trpc/types.ts";

/** What was deployed of a stack, or of all, by whom, how it ended; the newest, or the chosen one, with its plan and its steps as they happen. */
export function DeploymentHistory({ stack }: { stack?: string }): ReactNode {
  const t = useTranslations("stacks.deployments");
  const trpc = useTRPC();
  const url = useUrlState();
  const query = useInfiniteQuery(
    trpc.deployments.list.infiniteQueryOptions(
      { ...(stack === undefined ? {} : { stack }), limit: 30 },
      { getNextPageParam: (page) => page.nextCursor ?? undefined },
    ),
  );
  if (query.isPending) return <Skeleton className="h-72" />;
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const rows = query.data.pages.flatMap(({ items }) => items);
  const [newest] = rows;
  if (newest === undefined) return <NothingDeployed />;
  const chosen = url.get("deployment") ?? newest.id;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,18rem)_minmax(0,1fr)]">
      <div className="min-w-0 space-y-2">
        <ul aria-label={t("title")} className="divide-y overflow-hidden rounded-lg border bg-panel max-lg:max-h-64 max-lg:overflow-y-auto">
          {rows.map((row) => (
            <li key={row.id}>
              <DeploymentItem
                row={row}
                hasStack={stack === undefined}
                isChosen={row.id === chosen}
                onChoose={() => url.set({ deployment: row.id })}
              />
            </li>
          ))}
        </ul>
        {query.hasNextPage ? (
          <Button size="sm" isPending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("more")}
          </Button>
        ) : null}
      </div>
      <DeploymentView key={chosen} id={chosen} hasStack={stack === undefined} />
    </div>
  );
}

function NothingDeployed(): ReactNode {
  const t = useTranslations("stacks.deployments");
  const stacks = useTranslations("stacks");
  return (
    <EmptyState title={t("empty")} body={t("emptyBody")}>
      <May right="stack.deploy">
        <Button asChild>
          <Link href={deployHref()}>
            <Plus />
            {stacks("new")}
          </Link>
        </Button>
        <p className="text-xs text-muted">{stacks("emptyCommand")}</p>
        <Command text="flotilla stack deploy -c compose.yaml NAME" />
      </May>
    </EmptyState>
  );
}

type ItemProps = { row: DeploymentRow; hasStack: boolean; isChosen: boolean; onChoose: () => void };

function DeploymentItem({ row, hasStack, isChosen, onChoose }: ItemProps): ReactNode {
  const kinds = useTranslations("stacks.kinds");
  const t = useTranslations("stacks.deployments");
  const started = parseTime(row.startedAt) ?? 0;
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onChoose}
      className={cn("block w-full px-3 py-2 text-left text-sm hover:bg-hover focus-visible:-outline-offset-2", isChosen && "bg-active")}
    >
      <span className="flex items-center justify-between gap-2">
        <span className="min-w-0 truncate font-medium">
          {hasStack ? `${row.stack}: ` : ""}
          {kinds(deploymentKind(row.kind))} <span className="tnum font-normal text-muted">{t("revision", { number: row.revision })}</span>
        </span>
        <OutcomeStatus outcome={row.outcome} />
      </span>
      <span className="mt-0.5 block truncate text-xs text-muted">
        <TimeAgo time={started} /> · <Duration row={row} /> · {row.actor}
      </span>
    </button>
  );
}
