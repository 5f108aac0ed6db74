"use client";

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { ROW_HEIGHT } from "@/components/table/table-row.tsx";

/** The bar above the page and the table's header, which both stay in sight, in px. */
const COVERED_ABOVE = 84;

export type VirtualRowsProps = {
  count: number;
  /** @param top of the row in the list, in px. */
  renderRow: (index: number, top: number) => ReactNode;
  /** Where it puts the function that brings a row into sight. */
  scrollRef: RefObject<((index: number) => void) | null>;
};

/** The rows in sight of a long table; the others are only height. Loaded with the first table that is long. */
export function VirtualRows({ count, renderRow, scrollRef }: VirtualRowsProps): ReactNode {
  const listRef = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => {
    setScrollMargin(listRef.current?.offsetTop ?? 0);
  }, [count]);
  const virtualizer = useWindowVirtualizer({
    count,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin,
    scrollPaddingStart: COVERED_ABOVE,
    // New rows may come a frame later: drawn in the midst of scrolling they would hold up the frame.
    useFlushSync: false,
  });
  useEffect(() => {
    scrollRef.current = (index) => virtualizer.scrollToIndex(index);
    return () => {
      scrollRef.current = null;
    };
  });
  return (
    <div ref={listRef} role="rowgroup" className="relative" style={{ height: virtualizer.getTotalSize() }}>
      {virtualizer.getVirtualItems().map((item) => renderRow(item.index, item.start - scrollMargin))}
    </div>
  );
}
