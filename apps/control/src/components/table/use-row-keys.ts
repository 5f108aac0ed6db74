"use client";

import { useEffect, useRef, useState } from "react";
import { isTypingTarget } from "@/lib/keys.ts";

export type RowKeysInput = {
  count: number;
  onOpen: (index: number) => void;
  onSelect: (index: number) => void;
  scrollTo: (index: number) => void;
};

/** `j` and `k` move a cursor over the rows, `x` selects, Enter opens. Gives the row under the cursor, or -1. */
export function useRowKeys(input: RowKeysInput): number {
  const [active, setActive] = useState(-1);
  const latest = useRef(input);
  useEffect(() => {
    latest.current = input;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTypingTarget(event.target)) return;
      const { count, onOpen, onSelect, scrollTo } = latest.current;
      const move = (step: number): void => {
        event.preventDefault();
        const next = Math.min(count - 1, Math.max(0, active + step));
        setActive(next);
        scrollTo(next);
      };
      if (count === 0) return;
      if (event.key === "j") move(1);
      else if (event.key === "k") move(-1);
      else if (event.key === "x" && active >= 0) onSelect(active);
      else if (event.key === "Escape") setActive(-1);
      else if (event.key === "Enter" && active >= 0 && event.target === document.body) onOpen(active);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [active]);
  return active < input.count ? active : -1;
}
