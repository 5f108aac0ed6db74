"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { ActivityLine } from "@/components/activity/activity-line.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { Button } from "@/components/ui/button.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const PAGE_SIZE = 100;
const TYPING_MS = 250;

/** Every change, who made it and from where; also what was refused. */
export function ActivityList(): ReactNode {
  const t = useTranslations("activity");
  const trpc = useTRPC();
  const url = useUrlState();
  const text = url.get("q") ?? "";
  const search = useSettled(text, TYPING_MS);
  const query = useInfiniteQuery(
    trpc.activity.list.infiniteQueryOptions(search === "" ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, search }, {
      getNextPageParam: (page) => page.nextCursor ?? undefined,
    }),
  );
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="space-y-3">
      <SearchField label={t("search")} value={text} onChange={(q) => url.set({ q })} className="w-full sm:w-80" />
      {query.isPending ? <TableSkeleton rows={10} /> : null}
      {query.isError ? (
        <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      ) : null}
      {query.isSuccess && rows.length === 0 ? (
        <EmptyState title={search === "" ? t("emptyTitle") : t("noMatch")} body={search === "" ? t("emptyBody") : t("noMatchBody")} />
      ) : null}
      {rows.length === 0 ? null : (
        <ul aria-label={t("title")} className="rounded-lg border bg-panel">
          {rows.map((row) => (
            <ActivityLine key={row.id} row={row} isDetailed />
          ))}
        </ul>
      )}
      {query.hasNextPage ? (
        <Button className="mx-auto flex" isPending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("more")}
        </Button>
      ) : null}
    </div>
  );
}

/** A value once it has not changed for a while. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
