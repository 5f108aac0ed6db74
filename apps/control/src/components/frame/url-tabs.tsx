"use client";

import { type ReactNode, useEffect } from "react";
import { Forbidden, useMay } from "@/components/may.tsx";
import { type TabGroup, Tabs } from "@/components/ui/tabs.tsx";
import { useMe } from "@/components/use-me.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { isTypingTarget } from "@/lib/keys.ts";
import type { Right } from "@/lib/rights.ts";
import { oneOf } from "@/lib/url-state.ts";

export type UrlTabsProps<Id extends string> = {
  label: string;
  /** The tabs in their order; the first is shown where the address names none. */
  ids: readonly [Id, ...Id[]];
  /** The same tabs by what they are about, where there are many: a column beside the page where there is room. */
  groups?: readonly TabGroup<Id>[];
  words: (id: Id) => ReactNode;
  content: Readonly<Record<Id, () => ReactNode>>;
  /** Rights that tabs need, on `host` when one is named; "instance" is for instance administrators. Others are not offered such a tab, and told why when they open its address. */
  needs?: Readonly<Partial<Record<Id, Right | "instance">>>;
  host?: string;
  /** Further values of the address that belong to one tab, and go when another is chosen. The filter `q` always does. */
  resets?: readonly string[];
};

/** Tabs whose choice is in the address (`?tab=`); `[` and `]` go to the one before and after. */
export function UrlTabs<Id extends string>({ label, ids, groups, words, content, needs, host, resets = [] }: UrlTabsProps<Id>): ReactNode {
  const url = useUrlState();
  const may = useMay();
  const isAdmin = useMe()?.user.isInstanceAdmin === true;
  const rightLacked = (id: Id): Right | "instance" | undefined => {
    const right: Right | "instance" | undefined = needs?.[id];
    if (right === "instance") return isAdmin ? undefined : right;
    return right === undefined || may(right, host) ? undefined : right;
  };
  const first = ids.find((id) => rightLacked(id) === undefined) ?? ids[0];
  const value = oneOf(url.get("tab"), [first, ...ids]);
  const offered = ids.filter((id) => id === value || rightLacked(id) === undefined);
  const choose = (tab: Id): void => {
    const cleared = Object.fromEntries(["q", ...resets].map((name) => [name, null]));
    url.set({ ...cleared, tab: tab === first ? null : tab });
  };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTypingTarget(event.target)) return;
      const step = event.key === "]" ? 1 : event.key === "[" ? -1 : 0;
      const next = step === 0 ? undefined : offered[offered.indexOf(value) + step];
      if (next !== undefined) choose(next);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  });
  const items = offered.map((id) => {
    const lacked = rightLacked(id);
    return { id, label: words(id), content: lacked === undefined ? content[id] : () => <Forbidden right={lacked} /> };
  });
  return <Tabs label={label} value={value} onChange={choose} items={items} groups={groups} />;
}
