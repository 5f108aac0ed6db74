import type { ReactNode } from "react";

export type Breakpoint = "sm" | "md" | "lg" | "xl";

/** A column of a table: what it shows, what it sorts by, and from which width of the page on it is there. */
export type Column<Row> = {
  id: string;
  header: string;
  /** A CSS grid track: `2fr`, `minmax(8rem, 1fr)`, `5rem`. */
  width: string;
  cell: (row: Row) => ReactNode;
  sortBy?: (row: Row) => string | number;
  hideBelow?: Breakpoint;
  isRight?: boolean;
};

const ORDER: readonly (Breakpoint | undefined)[] = [undefined, "sm", "md", "lg", "xl"];

/** Grid tracks for each width of the page, as CSS variables that the row's classes read. */
export function gridTemplates(columns: readonly Pick<Column<unknown>, "width" | "hideBelow">[], lead: string): Record<string, string> {
  const entries = ORDER.map((breakpoint, step) => {
    const shown = columns.filter((column) => ORDER.indexOf(column.hideBelow) <= step);
    return [
      `--cols-${breakpoint ?? "xs"}`,
      [lead, ...shown.map((column) => column.width)].filter((track) => track !== "").join(" "),
    ] as const;
  });
  return Object.fromEntries(entries);
}

export const ROW_GRID =
  "grid grid-cols-(--cols-xs) items-center gap-x-3 px-3 lg:gap-x-5 sm:grid-cols-(--cols-sm) md:grid-cols-(--cols-md) lg:grid-cols-(--cols-lg) xl:grid-cols-(--cols-xl)";

export const HIDDEN_BELOW: Readonly<Record<Breakpoint, string>> = {
  sm: "max-sm:hidden",
  md: "max-md:hidden",
  lg: "max-lg:hidden",
  xl: "max-xl:hidden",
};

/** Numbers by value, texts as people sort them: `web-2` before `web-10`. */
export function createComparer(locale: string): (a: unknown, b: unknown) => number {
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  return (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b)));
}

/** By which column a table is sorted. */
export type Sorting = { id: string; isDescending: boolean };

/** Rows sorted by a column; those that are equal there keep their order, also when it is turned round. Each row is asked for its value once. */
export function sortRows<Row>(
  rows: readonly Row[],
  by: { sortBy: (row: Row) => string | number; isDescending: boolean },
  compare: (a: unknown, b: unknown) => number,
): Row[] {
  const sign = by.isDescending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: by.sortBy(row) }))
    .sort((a, b) => sign * compare(a.value, b.value))
    .map(({ row }) => row);
}

/** What a click on a header asks for: upwards first, then downwards, then upwards again. */
export function nextSorting(sorting: Sorting | undefined, id: string): Sorting {
  return { id, isDescending: sorting?.id === id && !sorting.isDescending };
}
