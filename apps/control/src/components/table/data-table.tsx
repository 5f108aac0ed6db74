"use client";

import {
  createSortedRowModel,
  type RowSelectionState,
  rowSelectionFeature,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useRouter } from "next/navigation";
import {
  type CSSProperties,
  type Dispatch,
  type MouseEvent,
  type ReactNode,
  type SetStateAction,
  memo,
  useCallback,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useLocale, useTranslations } from "use-intl";
import { type Column, createComparer, gridTemplates, HIDDEN_BELOW, ROW_GRID } from "@/components/table/columns.ts";
import { useRowKeys } from "@/components/table/use-row-keys.ts";
import { Checkbox } from "@/components/ui/checkbox.tsx";
import { cn } from "@/lib/cn.ts";

export type Selection = { selected: RowSelectionState; setSelected: Dispatch<SetStateAction<RowSelectionState>> };

export type DataTableProps<Row> = {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowId: (row: Row) => string;
  /** Where a click on the row, or Enter, goes. */
  href?: ((row: Row) => string) | undefined;
  initialSort?: { id: string; isDescending: boolean } | undefined;
  selection?: Selection | undefined;
};

const features = tableFeatures({ rowSortingFeature, rowSelectionFeature, sortedRowModel: createSortedRowModel() });

export const ROW_HEIGHT = 48;

/** A table for up to some thousands of rows: only those in sight are in the page. */
export function DataTable<Row extends object>({
  label,
  rows,
  columns,
  rowId,
  href,
  initialSort,
  selection,
}: DataTableProps<Row>): ReactNode {
  const t = useTranslations("table");
  const locale = useLocale();
  const router = useRouter();
  const [sorting, setSorting] = useState<SortingState>(
    initialSort === undefined ? [] : [{ id: initialSort.id, desc: initialSort.isDescending }],
  );
  const definitions = useMemo(() => {
    const compare = createComparer(locale);
    return columns.map((column) => ({
      id: column.id,
      accessorFn: (row: Row): string | number => column.sortBy?.(row) ?? "",
      enableSorting: column.sortBy !== undefined,
      sortFn: (a: { getValue: (id: string) => unknown }, b: { getValue: (id: string) => unknown }, id: string): number =>
        compare(a.getValue(id), b.getValue(id)),
    }));
  }, [columns, locale]);
  const data = useMemo(() => [...rows], [rows]);
  const table = useTable({
    features,
    columns: definitions,
    data,
    getRowId: rowId,
    state: { sorting, rowSelection: selection?.selected ?? {} },
    onSortingChange: setSorting,
    onRowSelectionChange: (next) => selection?.setSelected(next),
  });
  const sorted = table.getRowModel().rows;
  const { listRef, virtualizer } = useRows(sorted.length);
  const setSelected = selection?.setSelected;
  const onToggle = useCallback(
    (id: string) =>
      setSelected?.((before) => {
        const { [id]: was, ...others } = before;
        return was === true ? others : { ...before, [id]: true };
      }),
    [setSelected],
  );
  const active = useRowKeys({
    count: sorted.length,
    onOpen: (index) => {
      const row = sorted[index];
      if (row !== undefined && href !== undefined) router.push(href(row.original));
    },
    onSelect: (index) => {
      const row = sorted[index];
      if (row !== undefined) onToggle(row.id);
    },
    scrollTo: (index) => virtualizer.scrollToIndex(index),
  });
  const onOpen = useMemo(() => (href === undefined ? undefined : (row: Row) => router.push(href(row))), [href, router]);
  // Counted once for each change: asked for at each scrolled frame it would cost more than the rows themselves.
  const selectedCount = useMemo(
    () => sorted.reduce((count, row) => (selection?.selected[row.id] === true ? count + 1 : count), 0),
    [sorted, selection?.selected],
  );
  const grid = gridTemplates(columns, selection === undefined ? "" : "0.875rem");

  return (
    <div
      role="table"
      aria-label={label}
      aria-rowcount={sorted.length + 1}
      className="rounded-lg border bg-panel"
      style={grid as CSSProperties}
    >
      <div role="row" className={cn(ROW_GRID, "sticky top-12 z-10 h-9 rounded-t-lg border-b bg-panel text-xs text-muted")}>
        {selection === undefined ? null : (
          <div role="columnheader">
            <Checkbox
              aria-label={t("selectAll")}
              checked={selectedCount === sorted.length && sorted.length > 0}
              isIndeterminate={selectedCount > 0 && selectedCount < sorted.length}
              onChange={table.getToggleAllRowsSelectedHandler()}
            />
          </div>
        )}
        {columns.map((column) => (
          <HeaderCell
            key={column.id}
            column={column}
            sorted={sorting.find(({ id }) => id === column.id)}
            onSort={() => table.getColumn(column.id)?.toggleSorting()}
          />
        ))}
      </div>
      <div ref={listRef} role="rowgroup" className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const row = sorted[item.index];
          if (row === undefined) return null;
          return (
            <TableRow
              key={row.id}
              id={row.id}
              row={row.original}
              index={item.index}
              top={item.start - virtualizer.options.scrollMargin}
              columns={columns}
              isActive={item.index === active}
              isSelected={selection === undefined ? undefined : selection.selected[row.id] === true}
              onOpen={onOpen}
              onToggle={onToggle}
            />
          );
        })}
      </div>
    </div>
  );
}

type TableRowProps<Row> = {
  id: string;
  row: Row;
  index: number;
  top: number;
  columns: readonly Column<Row>[];
  isActive: boolean;
  /** Undefined in a table without selection. */
  isSelected: boolean | undefined;
  onOpen: ((row: Row) => void) | undefined;
  onToggle: (id: string) => void;
};

/** One row; drawn again only when something of its own changes, and not at each scrolled frame. */
const TableRow = memo(PlainTableRow) as typeof PlainTableRow;

function PlainTableRow<Row>({ id, row, index, top, columns, isActive, isSelected, onOpen, onToggle }: TableRowProps<Row>): ReactNode {
  const t = useTranslations("table");
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-row={id}
      onClick={(event) => {
        if (isPlainClick(event)) onOpen?.(row);
      }}
      className={cn(
        ROW_GRID,
        "absolute inset-x-0 top-0 border-b text-sm last:border-b-0",
        onOpen !== undefined && "cursor-pointer hover:bg-hover",
        isSelected === true && "bg-info-soft hover:bg-info-soft",
        isActive && "bg-hover shadow-[inset_2px_0_0_var(--info)]",
      )}
      style={{ height: ROW_HEIGHT, transform: `translateY(${top}px)` }}
    >
      {isSelected === undefined ? null : (
        <div role="cell">
          <Checkbox aria-label={t("selectRow")} checked={isSelected} onChange={() => onToggle(id)} />
        </div>
      )}
      {columns.map((column) => (
        <div key={column.id} role="cell" className={cellClasses(column)}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

function cellClasses(column: Pick<Column<never>, "hideBelow" | "isRight">): string {
  return cn("min-w-0", column.hideBelow !== undefined && HIDDEN_BELOW[column.hideBelow], column.isRight === true && "text-right");
}

function useRows(count: number) {
  const listRef = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => {
    setScrollMargin(listRef.current?.offsetTop ?? 0);
  }, [count]);
  const virtualizer = useWindowVirtualizer({ count, estimateSize: () => ROW_HEIGHT, overscan: 12, scrollMargin });
  return { listRef, virtualizer };
}

type HeaderCellProps<Row> = { column: Column<Row>; sorted: { desc: boolean } | undefined; onSort: () => void };

function HeaderCell<Row>({ column, sorted, onSort }: HeaderCellProps<Row>): ReactNode {
  const arrow =
    sorted === undefined ? null : sorted.desc ? <ArrowDown className="size-3" aria-hidden /> : <ArrowUp className="size-3" aria-hidden />;
  return (
    <div
      role="columnheader"
      aria-sort={sorted === undefined ? undefined : sorted.desc ? "descending" : "ascending"}
      className={cellClasses(column)}
    >
      {column.sortBy === undefined ? (
        <span className={column.header === "" ? "sr-only" : undefined}>{column.header}</span>
      ) : (
        <button type="button" onClick={onSort} className="inline-flex items-center gap-1 rounded-sm hover:text-ink">
          {column.header}
          {arrow}
        </button>
      )}
    </div>
  );
}

/** A click on the row itself: not on something in it that does something else, and not the end of a text selection. */
function isPlainClick(event: MouseEvent): boolean {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return false;
  if (event.target instanceof Element && event.target.closest("a,button,input,label,[role=menu],[role=menuitem]") !== null) return false;
  return window.getSelection()?.toString() === "";
}
