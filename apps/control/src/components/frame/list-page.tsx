"use client";

import { type ReactNode, useDeferredValue, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import type { Loadable } from "@/components/frame/loadable.ts";
import { DataTable, type DataTableProps, type Selected } from "@/components/table/data-table.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { Button } from "@/components/ui/button.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState, PartialNotice } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { filterRows } from "@/lib/filter-rows.ts";
import { errorMessage } from "@/trpc/client.ts";

/** The texts of a list. `title` names the table to those who do not see it, `filter` is what the filter box asks for. */
export type ListWords = { title: string; filter: string; loadFailed: string; emptyTitle: string; emptyBody: ReactNode };

/** The texts of a list from the messages of its own part, where all lists call them the same. */
export function listWords(t: (key: keyof ListWords) => string): ListWords {
  return {
    title: t("title"),
    filter: t("filter"),
    loadFailed: t("loadFailed"),
    emptyTitle: t("emptyTitle"),
    emptyBody: t("emptyBody"),
  };
}

export type ListPageProps<Row extends object> = Omit<DataTableProps<Row>, "label" | "rows" | "selection"> & {
  words: ListWords;
  query: Pick<Loadable<unknown>, "error" | "refetch">;
  /** All rows there are; undefined while nobody knows. */
  rows: readonly Row[] | undefined;
  /** What the filter box (`?q=`) looks through. */
  textOf: (row: Row) => string;
  /** Further filters beside the box: what they show, which rows they let through, and how to take them away. */
  filters?: { bar: ReactNode; isShown: (row: Row) => boolean; clear: () => void } | undefined;
  /** Buttons at the end of the line, and in the middle of an empty list. */
  actions?: ReactNode;
  /** In an empty list below the buttons: the command that makes the first. */
  empty?: ReactNode;
  /** Above the list: hosts that did not answer. */
  notice?: ReactNode;
  /** With it rows can be selected: what is shown while some are. */
  bulk?: ((selected: readonly Row[], clear: () => void) => ReactNode) | undefined;
  /** Dialogs of the list; they are there whether or not it has rows. */
  children?: ReactNode;
};

const NONE: Selected = new Set();

/** The one frame of a list: its place while it loads, why it could not be read, the next step while it is empty, filter and table. */
export function ListPage<Row extends object>(props: ListPageProps<Row>): ReactNode {
  const { words, query, rows, notice, actions, empty, children } = props;
  return (
    <div className="space-y-3">
      {notice}
      {rows === undefined ? (
        query.error === null ? (
          <ListSkeleton hasActions={actions !== undefined} />
        ) : (
          <ErrorState title={words.loadFailed} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
        )
      ) : (
        <>
          {query.error === null ? null : <PartialNotice>{`${words.loadFailed}: ${errorMessage(query.error)}`}</PartialNotice>}
          {rows.length === 0 ? (
            <EmptyState title={words.emptyTitle} body={words.emptyBody}>
              {actions}
              {empty}
            </EmptyState>
          ) : (
            <Rows {...props} rows={rows} />
          )}
        </>
      )}
      {children}
    </div>
  );
}

function Rows<Row extends object>({
  words,
  rows,
  textOf,
  filters,
  actions,
  bulk,
  ...table
}: ListPageProps<Row> & { rows: readonly Row[] }) {
  const t = useTranslations("table");
  const url = useUrlState();
  const [selected, setSelected] = useState<Selected>(NONE);
  const text = url.get("q") ?? "";
  // Letters appear at once in the box; thousands of rows follow when there is time.
  const wanted = useDeferredValue(text);
  const isShown = filters?.isShown;
  const shown = useMemo(() => {
    const passed = isShown === undefined ? rows : rows.filter(isShown);
    return filterRows(passed, wanted, textOf);
  }, [rows, isShown, wanted, textOf]);
  const chosen = useMemo(() => shown.filter((row) => selected.has(table.rowId(row))), [shown, selected, table.rowId]);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <SearchField
          label={words.filter}
          value={text}
          onChange={(q) => url.set({ q })}
          className={filters === undefined ? "min-w-44 flex-1 sm:max-w-72" : "w-full sm:w-60"}
        />
        {filters?.bar}
        <span role="status" className="tnum ml-auto text-xs whitespace-nowrap text-muted max-sm:sr-only">
          {shown.length === rows.length ? t("count", { count: rows.length }) : t("countOf", { shown: shown.length, count: rows.length })}
        </span>
        {actions}
      </div>
      {shown.length === 0 ? (
        <EmptyState title={t("noMatch")} body={t("noMatchBody", { count: rows.length })}>
          <Button
            onClick={() => {
              url.set({ q: null });
              filters?.clear();
            }}
          >
            {t("showAll")}
          </Button>
        </EmptyState>
      ) : (
        <DataTable
          label={words.title}
          rows={shown}
          columns={table.columns}
          rowId={table.rowId}
          href={table.href}
          initialSort={table.initialSort}
          selection={bulk === undefined ? undefined : { selected, setSelected }}
        />
      )}
      {bulk?.(chosen, () => setSelected(NONE))}
    </>
  );
}

/** Filter line and table at their heights. */
function ListSkeleton({ hasActions }: { hasActions: boolean }): ReactNode {
  return (
    <>
      <div aria-hidden className="flex h-8 items-center justify-between gap-2">
        <div className="h-8 flex-1 rounded-md border bg-panel sm:max-w-72" />
        {hasActions ? <div className="h-8 w-28 rounded-md border bg-panel" /> : null}
      </div>
      <TableSkeleton />
    </>
  );
}
