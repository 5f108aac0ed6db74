"use client";

import { Fragment, type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { cn } from "@/lib/cn.ts";

export type TabItem<Id extends string> = { id: Id; label: ReactNode; content: () => ReactNode };
export type TabGroup<Id extends string> = { label: string; ids: readonly Id[] };
export type TabsProps<Id extends string> = {
  items: readonly TabItem<Id>[];
  value: Id;
  onChange: (id: Id) => void;
  label: string;
  /** With them the tabs are a column beside the page where there is room, else a row as always. */
  groups?: readonly TabGroup<Id>[] | undefined;
};

/**
 * Underlined tabs that scroll sideways on a phone. Only the shown tab is mounted: streams of the others are closed. Arrows, Home and End
 * move the focus, Enter or Space chooses (the manual activation of WAI-ARIA's tabs, since a tab may ask a host for much).
 */
export function Tabs<Id extends string>({ items, value, onChange, label, groups }: TabsProps<Id>): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    // On a narrow screen the chosen tab may be out of sight, also when others come before it. Only the list scrolls: scrollIntoView would move the page too.
    const active = list.current?.querySelector<HTMLElement>(`[data-tab="${value}"]`);
    if (active !== null && active !== undefined) list.current?.scrollTo({ left: active.offsetLeft - 24 });
  }, [value, items.length]);
  const shown = items.find((item) => item.id === value);
  const isColumn = groups !== undefined;
  const tab = (item: TabItem<Id>): ReactNode => (
    <button
      key={item.id}
      type="button"
      role="tab"
      id={`${id}-${item.id}`}
      aria-selected={item.id === value}
      aria-controls={item.id === value ? `${id}-panel` : undefined}
      tabIndex={item.id === value ? 0 : -1}
      data-tab={item.id}
      onClick={() => onChange(item.id)}
      className={cn(
        "h-9 shrink-0 border-b-2 text-sm whitespace-nowrap transition-colors focus-visible:-outline-offset-2",
        item.id === value ? "border-ink font-medium text-ink" : "border-transparent text-muted hover:text-ink",
        isColumn && "lg:h-8 lg:w-full lg:rounded-md lg:border-b-0 lg:px-2 lg:text-left lg:hover:bg-hover",
        isColumn && item.id === value && "lg:bg-active lg:hover:bg-active",
      )}
    >
      {item.label}
    </button>
  );
  return (
    <div className={cn(isColumn && "lg:flex lg:items-start lg:gap-8")}>
      <div
        ref={list}
        role="tablist"
        aria-label={label}
        onKeyDown={moveFocus}
        className={cn(
          "relative -mx-4 flex gap-4 overflow-x-auto border-b px-4 [scrollbar-width:none] sm:-mx-6 sm:px-6 [&::-webkit-scrollbar]:hidden",
          isColumn && "lg:sticky lg:top-16 lg:mx-0 lg:w-44 lg:shrink-0 lg:flex-col lg:gap-px lg:overflow-visible lg:border-b-0 lg:px-0",
        )}
      >
        {groups === undefined
          ? items.map(tab)
          : groups.map((group) => (
              <Fragment key={group.label}>
                <span aria-hidden className="px-2 pt-4 pb-1 text-xs text-muted first:pt-0 max-lg:hidden">
                  {group.label}
                </span>
                {items.filter((item) => group.ids.includes(item.id)).map(tab)}
              </Fragment>
            ))}
      </div>
      <div
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${value}`}
        tabIndex={-1}
        className={cn("min-w-0 pt-4 outline-none", isColumn && "lg:flex-1 lg:pt-0")}
      >
        {shown?.content()}
      </div>
    </div>
  );
}

function moveFocus(event: KeyboardEvent<HTMLDivElement>): void {
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="tab"]')];
  const at = tabs.findIndex((tab) => tab === document.activeElement);
  const targets: Record<string, number> = {
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    Home: 0,
    End: tabs.length - 1,
  };
  const target = targets[event.key];
  if (at === -1 || target === undefined) return;
  event.preventDefault();
  tabs[(target + tabs.length) % tabs.length]?.focus();
}
