"use client";

import { ArrowDown, ArrowUp } from "lucide-react";
import { useRouter } from "next/navigation";
import {
  type CSSProperties,
  type Dispatch,
  lazy,
  type ReactNode,
  type SetStateAction,
  Suspense,
  useCallback,
  useMemo,
  useRef,
  useState,
} from "react";
import { useLocale, useTranslations } from "use-intl";
import { type Column, createComparer, gridTemplates, nextSorting, ROW_GRID, type Sorting, sortRows } from "@/components/table/columns.ts";
import { cellClasses, ROW_HEIGHT, TableRow } from "@/components/table/table-row.tsx";
import { useRowKeys } from "@/components/table/use-row-keys.ts";
import { Checkbox } from "@/components/ui/checkbox.tsx";
import { cn } from "@/lib/cn.ts";

const VirtualRows = lazy(() => import("@/components/table/virtual-rows.tsx").then((found) => ({ default: found.VirtualRows })));

/** Ids of the selected rows. */
export type Selected = ReadonlySet<string>;
export type Selection = { selected: Selected; setSelected: Dispatch<SetStateAction<Selected>> };

export type DataTableProps<Row> = {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowId: (row: Row) => string;
  /** Where a click on the row, or Enter, goes. */
  href?: ((row: Row) => string) | undefined;
  initialSort?: Sorting | undefined;
  selection?: Selection | undefined;
};

/** Of a table with more rows only those in sight are in the page. */
const PLAIN_ROWS = 100;

/** A table for up to some thousands of rows. */
export function DataTable<Row extends object>(props: DataTableProps<Row>): ReactNode {
  const { label, rows, columns, rowId, href, selection } = props;
  const router = useRouter();
  const [sorting, setSorting] = useState(props.initialSort);
  const sorted = useSorted(rows, columns, sorting);
  const rowgroup = useRef<HTMLDivElement>(null);
  const scrollRef = useRef<((index: number) => void) | null>(null);
  const scrollTo = (index: number): void => {
    if (scrollRef.current !== null) scrollRef.current(index);
    else rowgroup.current?.querySelector(`[data-index="${index}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const setSelected = selection?.setSelected;
  const onToggle = useCallback((id: string) => setSelected?.((before) => toggled(before, id)), [setSelected]);
  const active = useRowKeys({
    count: sorted.length,
    onOpen: (index) => {
      const row = sorted[index];
      if (row !== undefined && href !== undefined) router.push(href(row));
    },
    onSelect: (index) => {
      const row = sorted[index];
      if (row !== undefined) onToggle(rowId(row));
    },
    scrollTo,
  });
  const onOpen = useMemo(() => (href === undefined ? undefined : (row: Row) => router.push(href(row))), [href, router]);
  const renderRow = (index: number, top?: number): ReactNode => {
    const row = sorted[index];
    if (row === undefined) return null;
    const id = rowId(row);
    const isSelected = selection?.selected.has(id);
    const isActive = index === active;
    return <TableRow key={id} {...{ id, row, index, top, columns, isActive, isSelected, onOpen, onToggle }} />;
  };
  const plain = Array.from({ length: Math.min(sorted.length, PLAIN_ROWS) }, (_unused, index) => index);
  const plainRows = (
    <div ref={rowgroup} role="rowgroup" style={{ minHeight: sorted.length * ROW_HEIGHT }}>
      {plain.map((index) => renderRow(index))}
    </div>
  );
  return (
    <div
      role="table"
      aria-label={label}
      aria-rowcount={sorted.length + 1}
      className="rounded-lg border bg-panel"
      style={gridTemplates(columns, selection === undefined ? "" : "0.875rem") as CSSProperties}
    >
      <div role="row" className={cn(ROW_GRID, "sticky top-12 z-10 h-9 rounded-t-lg border-b bg-panel text-xs text-muted")}>
        {selection === undefined ? null : <SelectAll rows={sorted} rowId={rowId} selection={selection} />}
        {columns.map((column) => (
          <HeaderCell
            key={column.id}
            column={column}
            sorted={sorting?.id === column.id ? sorting : undefined}
            onSort={() => setSorting(nextSorting(sorting, column.id))}
          />
        ))}
      </div>
      {sorted.length <= PLAIN_ROWS ? (
        plainRows
      ) : (
        <Suspense fallback={plainRows}>
          <VirtualRows count={sorted.length} renderRow={renderRow} scrollRef={scrollRef} />
        </Suspense>
      )}
    </div>
  );
}

function useSorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sorting: Sorting | undefined): readonly Row[] {
  const locale = useLocale();
  const sortBy = columns.find(({ id }) => id === sorting?.id)?.sortBy;
  const isDescending = sorting?.isDescending ?? false;
  return useMemo(
    () => (sortBy === undefined ? rows : sortRows(rows, { sortBy, isDescending }, createComparer(locale))),
    [rows, sortBy, isDescending, locale],
  );
}

function toggled(before: Selected, id: string): Selected {
  const next = new Set(before);
  if (!next.delete(id)) next.add(id);
  return next;
}

type SelectAllProps<Row> = { rows: readonly Row[]; rowId: (row: Row) => string; selection: Selection };

function SelectAll<Row>({ rows, rowId, selection: { selected, setSelected } }: SelectAllProps<Row>): ReactNode {
  const t = useTranslations("table");
  // Counted once for each change: asked for at each scrolled frame it would cost more than the rows themselves.
  const count = useMemo(() => rows.reduce((sum, row) => (selected.has(rowId(row)) ? sum + 1 : sum), 0), [rows, rowId, selected]);
  const isAll = count === rows.length && rows.length > 0;
  return (
    <div role="columnheader">
      <Checkbox
        aria-label={t("selectAll")}
        checked={isAll}
        isIndeterminate={count > 0 && !isAll}
        onChange={() => setSelected(isAll ? new Set() : new Set(rows.map(rowId)))}
      />
    </div>
  );
}

type HeaderCellProps<Row> = { column: Column<Row>; sorted: Sorting | undefined; onSort: () => void };

function HeaderCell<Row>({ column, sorted, onSort }: HeaderCellProps<Row>): ReactNode {
  const Arrow = sorted?.isDescending === true ? ArrowDown : ArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={sorted === undefined ? undefined : sorted.isDescending ? "descending" : "ascending"}
      className={cellClasses(column)}
    >
      {column.sortBy === undefined ? (
        <span className={column.header === "" ? "sr-only" : undefined}>{column.header}</span>
      ) : (
        <button type="button" onClick={onSort} className="inline-flex items-center gap-1 rounded-sm hover:text-ink">
          {column.header}
          {sorted === undefined ? null : <Arrow className="size-3" aria-hidden />}
        </button>
      )}
    </div>
  );
}
