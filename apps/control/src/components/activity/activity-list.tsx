"use client";

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { ActivityFilters } from "@/components/activity/activity-filters.tsx";
import { ActivityLine } from "@/components/activity/activity-line.tsx";
import { ChainState } from "@/components/activity/chain-state.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { Button } from "@/components/ui/button.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { type ActivityFilter, readActivityFilter } from "@/lib/activity-filter.ts";
import { cn } from "@/lib/cn.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const PAGE_SIZE = 100;
const TYPING_MS = 250;

/** Every change, who made it and from where; also what was refused. */
export function ActivityList(): ReactNode {
  const t = useTranslations("activity");
  const trpc = useTRPC();
  const url = useUrlState();
  const [openedMs] = useState(() => Date.now());
  const filter = useSettled(
    useMemo(() => readActivityFilter(url.get, openedMs), [url.get, openedMs]),
    TYPING_MS,
  );
  const query = useInfiniteQuery(
    trpc.activity.list.infiniteQueryOptions(
      { limit: PAGE_SIZE, ...filter },
      // What was found stays in sight until the next answer is there: nothing jumps while somebody writes.
      { getNextPageParam: (page) => page.nextCursor ?? undefined, placeholderData: keepPreviousData },
    ),
  );
  const isFiltered = Object.keys(filter).length > 0;
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="space-y-3">
      <ChainState />
      <ActivityFilters url={url} actions={rows.map(({ action }) => action)}>
        <ExportLink filter={filter} />
      </ActivityFilters>
      {query.isPending ? <TableSkeleton rows={10} /> : null}
      {query.isError ? (
        <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      ) : null}
      {query.isSuccess && rows.length === 0 ? (
        <EmptyState title={isFiltered ? t("noMatch") : t("emptyTitle")} body={isFiltered ? t("noMatchBody") : t("emptyBody")} />
      ) : null}
      {rows.length === 0 ? null : (
        <ul aria-label={t("title")} className={cn("rounded-lg border bg-panel", query.isPlaceholderData && "opacity-60")}>
          {rows.map((row) => (
            <ActivityLine key={row.id} row={row} isDetailed />
          ))}
        </ul>
      )}
      {query.hasNextPage ? (
        <Button className="mx-auto flex" isPending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("older")}
        </Button>
      ) : null}
    </div>
  );
}

/** All rows that the filter lets through, as JSON lines with the hashes of their chain. */
function ExportLink({ filter }: { filter: ActivityFilter }): ReactNode {
  const t = useTranslations("activity");
  return (
    <Button asChild className="sm:ml-auto">
      <a href={`/api/v1/audit/export?${new URLSearchParams(Object.entries(filter)).toString()}`} download>
        <Download />
        {t("export")}
      </a>
    </Button>
  );
}

/** A value once it has not changed for a while. */
function useSettled<Value>(value: Value, ms: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
