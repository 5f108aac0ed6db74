"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { MAIN_PAGES, OTHER_PAGES } from "@/components/shell/navigation.ts";
import { isTypingTarget } from "@/lib/keys.ts";

const SEQUENCE_MS = 1_000;

/** Keys that work on every page: ⌘K or Ctrl-K, `?`, `/`, `r` and `g` followed by a page's letter. */
export function useShortcuts({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }): void {
  const router = useRouter();
  useEffect(() => {
    let goingUntil = 0;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey) {
        event.preventDefault();
        onPalette();
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTypingTarget(event.target)) return;
      if (event.timeStamp < goingUntil) {
        goingUntil = 0;
        const page = [...MAIN_PAGES, ...OTHER_PAGES].find(({ key }) => key === event.key);
        if (page !== undefined) {
          event.preventDefault();
          router.push(page.href);
        }
      } else if (event.key === "g") goingUntil = event.timeStamp + SEQUENCE_MS;
      else if (event.key === "?") onHelp();
      else if (event.key === "r") router.push("/run");
      else if (event.key === "/") focusFilter(event);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [router, onPalette, onHelp]);
}

function focusFilter(event: KeyboardEvent): void {
  const field = document.querySelector<HTMLInputElement>("input[type=search]");
  if (field === null) return;
  event.preventDefault();
  field.focus();
  field.select();
}
