"use client";

import { type ReactNode, useEffect } from "react";
import { type TabGroup, Tabs } from "@/components/ui/tabs.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { isTypingTarget } from "@/lib/keys.ts";
import { oneOf } from "@/lib/url-state.ts";

export type UrlTabsProps<Id extends string> = {
  label: string;
  /** The tabs in their order; the first is shown where the address names none. */
  ids: readonly [Id, ...Id[]];
  /** The same tabs by what they are about, where there are many: a column beside the page where there is room. */
  groups?: readonly TabGroup<Id>[];
  words: (id: Id) => ReactNode;
  content: Readonly<Record<Id, () => ReactNode>>;
  /** Further values of the address that belong to one tab, and go when another is chosen. The filter `q` always does. */
  resets?: readonly string[];
};

/** Tabs whose choice is in the address (`?tab=`); `[` and `]` go to the one before and after. */
export function UrlTabs<Id extends string>({ label, ids, groups, words, content, resets = [] }: UrlTabsProps<Id>): ReactNode {
  const url = useUrlState();
  const value = oneOf(url.get("tab"), ids);
  const choose = (tab: Id): void => {
    const cleared = Object.fromEntries(["q", ...resets].map((name) => [name, null]));
    url.set({ ...cleared, tab: tab === ids[0] ? null : tab });
  };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTypingTarget(event.target)) return;
      const step = event.key === "]" ? 1 : event.key === "[" ? -1 : 0;
      const next = step === 0 ? undefined : ids[ids.indexOf(value) + step];
      if (next !== undefined) choose(next);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  });
  const items = ids.map((id) => ({ id, label: words(id), content: content[id] }));
  return <Tabs label={label} value={value} onChange={choose} items={items} groups={groups} />;
}
