"use client";

import { memo, type MouseEvent, type ReactNode } from "react";
import { useTranslations } from "use-intl";
import { type Column, HIDDEN_BELOW, ROW_GRID } from "@/components/table/columns.ts";
import { Checkbox } from "@/components/ui/checkbox.tsx";
import { cn } from "@/lib/cn.ts";

/** Of every row, in px: a table's height is known before its rows are drawn. */
export const ROW_HEIGHT = 48;

export type TableRowProps<Row> = {
  id: string;
  row: Row;
  index: number;
  /** Where it is in the list, in px; undefined where rows simply follow each other. */
  top: number | undefined;
  columns: readonly Column<Row>[];
  isActive: boolean;
  /** Undefined in a table without selection. */
  isSelected: boolean | undefined;
  onOpen: ((row: Row) => void) | undefined;
  onToggle: (id: string) => void;
};

/** One row; drawn again only when something of its own changes, and not at each scrolled frame. */
export const TableRow = memo(PlainTableRow) as typeof PlainTableRow;

function PlainTableRow<Row>({ id, row, index, top, columns, isActive, isSelected, onOpen, onToggle }: TableRowProps<Row>): ReactNode {
  const t = useTranslations("table");
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-row={id}
      data-index={index}
      onClick={(event) => {
        if (isPlainClick(event)) onOpen?.(row);
      }}
      className={cn(
        ROW_GRID,
        "scroll-mt-24 border-b text-sm last:border-b-0",
        top !== undefined && "absolute inset-x-0 top-0",
        onOpen !== undefined && "cursor-pointer hover:bg-hover",
        isSelected === true && "bg-info-soft hover:bg-info-soft",
        isActive && "bg-hover shadow-[inset_2px_0_0_var(--info)]",
      )}
      style={{ height: ROW_HEIGHT, ...(top === undefined ? {} : { transform: `translateY(${top}px)` }) }}
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

export function cellClasses(column: Pick<Column<never>, "hideBelow" | "isRight">): string {
  return cn("min-w-0", column.hideBelow !== undefined && HIDDEN_BELOW[column.hideBelow], column.isRight === true && "text-right");
}

/** A click on the row itself: not on something in it that does something else, and not the end of a text selection. */
function isPlainClick(event: MouseEvent): boolean {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return false;
  if (event.target instanceof Element && event.target.closest("a,button,input,label,[role=menu],[role=menuitem]") !== null) return false;
  return window.getSelection()?.toString() === "";
}
