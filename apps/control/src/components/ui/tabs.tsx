"use client";

import { Tabs as Primitive } from "radix-ui";
import { type ReactNode, useEffect, useRef } from "react";

export type TabItem<Id extends string> = { id: Id; label: ReactNode; content: () => ReactNode };
export type TabsProps<Id extends string> = { items: readonly TabItem<Id>[]; value: Id; onChange: (id: Id) => void; label: string };

/** Underlined tabs that scroll sideways on a phone. Only the shown tab is mounted: streams of the others are closed. */
export function Tabs<Id extends string>({ items, value, onChange, label }: TabsProps<Id>): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a narrow screen the chosen tab may be out of sight. Only the list scrolls: scrollIntoView would move the page too.
    const active = list.current?.querySelector<HTMLElement>(`[data-tab="${value}"]`);
    if (active !== null && active !== undefined) list.current?.scrollTo({ left: active.offsetLeft - 24 });
  }, [value]);
  return (
    <Primitive.Root
      value={value}
      onValueChange={(next) => {
        const found = items.find((item) => item.id === next);
        if (found !== undefined) onChange(found.id);
      }}
      activationMode="manual"
    >
      <Primitive.List
        ref={list}
        aria-label={label}
        className="relative -mx-4 flex gap-4 overflow-x-auto border-b px-4 [scrollbar-width:none] sm:-mx-6 sm:px-6 [&::-webkit-scrollbar]:hidden"
      >
        {items.map((item) => (
          <Primitive.Trigger
            key={item.id}
            value={item.id}
            data-tab={item.id}
            className="h-9 shrink-0 border-b-2 border-transparent text-sm whitespace-nowrap text-muted transition-colors hover:text-ink focus-visible:-outline-offset-2 data-[state=active]:border-ink data-[state=active]:font-medium data-[state=active]:text-ink"
          >
            {item.label}
          </Primitive.Trigger>
        ))}
      </Primitive.List>
      {items.map((item) => (
        <Primitive.Content key={item.id} value={item.id} tabIndex={-1} className="pt-4 outline-none">
          {item.id === value ? item.content() : null}
        </Primitive.Content>
      ))}
    </Primitive.Root>
  );
}
