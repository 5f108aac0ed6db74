"use client";

import { Tabs as Primitive } from "radix-ui";
import type { ReactNode } from "react";

export type TabItem<Id extends string> = { id: Id; label: ReactNode; content: () => ReactNode };
export type TabsProps<Id extends string> = { items: readonly TabItem<Id>[]; value: Id; onChange: (id: Id) => void; label: string };

/** Underlined tabs that scroll sideways on a phone. Only the shown tab is mounted: streams of the others are closed. */
export function Tabs<Id extends string>({ items, value, onChange, label }: TabsProps<Id>): ReactNode {
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
        aria-label={label}
        className="-mx-4 flex gap-4 overflow-x-auto border-b px-4 [scrollbar-width:none] sm:-mx-6 sm:px-6 [&::-webkit-scrollbar]:hidden"
      >
        {items.map((item) => (
          <Primitive.Trigger
            key={item.id}
            value={item.id}
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
