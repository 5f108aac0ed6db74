"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { ChainState } from "@/components/activity/chain-state.tsx";
import { ActivityLine } from "@/components/activity/activity-line.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { Button } from "@/components/ui/button.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const PAGE_SIZE = 100;
const TYPING_MS = 250;
const OUTCOMES = ["ok", "refused", "failed", "started"] as const;

/** Every change, who made it and from where; also what was refused. */
export function ActivityList(): ReactNode {
  const t = useTranslations("activity");
  const trpc = useTRPC();
  const url = useUrlState();
  const text = url.get("q") ?? "";
  const search = useSettled(text, TYPING_MS);
  const outcome = OUTCOMES.find((known) => known === url.get("outcome"));
  const filter = { ...(search === "" ? {} : { search }), ...(outcome === undefined ? {} : { outcome }) };
  const query = useInfiniteQuery(
    trpc.activity.list.infiniteQueryOptions({ limit: PAGE_SIZE, ...filter }, { getNextPageParam: (page) => page.nextCursor ?? undefined }),
  );
  const isFiltered = Object.keys(filter).length > 0;
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-2">
        <SearchField label={t("search")} value={text} onChange={(q) => url.set({ q })} className="w-full sm:w-80" />
        <NativeSelect
          aria-label={t("outcome")}
          className="w-auto"
          value={outcome ?? ""}
          onChange={(event) => url.set({ outcome: event.target.value === "" ? null : event.target.value })}
        >
          <option value="">{t("anyOutcome")}</option>
          {OUTCOMES.map((known) => (
            <option key={known} value={known}>
              {t(`outcomes.${known}`)}
            </option>
          ))}
        </NativeSelect>
        <a href={`/api/v1/audit/export?${new URLSearchParams(filter).toString()}`} download className="text-sm text-muted hover:underline">
          {t("export")}
        </a>
        <ChainState />
      </div>
      {query.isPending ? <TableSkeleton rows={10} /> : null}
      {query.isError ? (
        <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      ) : null}
      {query.isSuccess && rows.length === 0 ? (
        <EmptyState title={isFiltered ? t("noMatch") : t("emptyTitle")} body={isFiltered ? t("noMatchBody") : t("emptyBody")} />
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
