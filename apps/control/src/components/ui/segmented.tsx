import type { ReactNode } from "react";
import { cn } from "@/lib/cn.ts";

export type SegmentedProps<Id extends string> = {
  items: readonly { id: Id; label: ReactNode; count?: number | undefined }[];
  value: Id;
  onChange: (id: Id) => void;
  label: string;
};

/** A choice of few, all in sight. */
export function Segmented<Id extends string>({ items, value, onChange, label }: SegmentedProps<Id>): ReactNode {
  return (
    <div
      role="radiogroup"
      aria-label={label}
      className="inline-flex h-8 max-w-full items-center overflow-x-auto rounded-md border border-line-strong bg-panel p-0.5 [scrollbar-width:none]"
    >
      {items.map((item) => (
        <button
          key={item.id}
          type="button"
          role="radio"
          aria-checked={item.id === value}
          onClick={() => onChange(item.id)}
          className={cn(
            "inline-flex h-full shrink-0 items-center gap-1.5 rounded-sm px-2 text-xs whitespace-nowrap text-muted transition-colors hover:text-ink focus-visible:outline-offset-0",
            item.id === value && "bg-active font-medium text-ink",
          )}
        >
          {item.label}
          {item.count === undefined ? null : <span className="tnum text-muted">{item.count}</span>}
        </button>
      ))}
    </div>
  );
}
