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
  const latest = useRef({ input, active });
  useEffect(() => {
    latest.current = { input, active };
  });
  // Listens once and from the beginning, so before whatever is around the table: an Escape that it uses is nobody else's.
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTypingTarget(event.target)) return;
      const { count, onOpen, onSelect, scrollTo } = latest.current.input;
      const at = latest.current.active;
      if (count === 0) return;
      const move = (step: number): void => {
        event.preventDefault();
        const next = Math.min(count - 1, Math.max(0, at + step));
        setActive(next);
        scrollTo(next);
      };
      if (event.key === "j") move(1);
      else if (event.key === "k") move(-1);
      else if (at < 0) return;
      else if (event.key === "x") onSelect(at);
      else if (event.key === "Enter" && event.target === document.body) onOpen(at);
      else if (event.key === "Escape") {
        event.preventDefault();
        setActive(-1);
      }
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  return active < input.count ? active : -1;
}
