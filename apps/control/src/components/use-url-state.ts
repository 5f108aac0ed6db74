"use client";

import { useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";
import { withParams } from "@/lib/url-state.ts";

export type UrlState = { get: (name: string) => string | null; set: (changes: Readonly<Record<string, string | null>>) => void };

/** Filters and tabs kept in the address: a reload, a bookmark and a colleague see the same. The history is not filled with each letter. */
export function useUrlState(): UrlState {
  const params = useSearchParams();
  const get = useCallback((name: string) => params.get(name), [params]);
  const set = useCallback((changes: Readonly<Record<string, string | null>>) => {
    window.history.replaceState(
      null,
      "",
      `${window.location.pathname}${withParams(window.location.search, changes)}${window.location.hash}`,
    );
  }, []);
  return useMemo(() => ({ get, set }), [get, set]);
}
