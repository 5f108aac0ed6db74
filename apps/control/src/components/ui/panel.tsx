import type { ReactNode } from "react";
import { cn } from "@/lib/cn.ts";

export type PanelProps = { title?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string; isFlush?: boolean };

/** A group of facts with a hairline around it. */
export function Panel({ title, actions, children, className, isFlush = false }: PanelProps): ReactNode {
  return (
    <section className={cn("min-w-0 rounded-lg border bg-panel", className)}>
      {title === undefined ? null : (
        <header className="flex min-h-10 flex-wrap items-center justify-between gap-x-2 gap-y-1 border-b px-4 py-1">
          <h2 className="text-sm font-semibold">{title}</h2>
          {actions}
        </header>
      )}
      <div className={isFlush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

export type Fact = { label: ReactNode; value: ReactNode; isMono?: boolean };

/** Names and values in two columns; one below the other on a phone. */
export function Facts({ items, className }: { items: readonly Fact[]; className?: string }): ReactNode {
  return (
    <dl className={cn("grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[minmax(7rem,auto)_minmax(0,1fr)]", className)}>
      {items.map((item, index) => (
        <div key={index} className="contents">
          <dt className="text-muted max-sm:-mb-2">{item.label}</dt>
          <dd className={cn("min-w-0 break-words", item.isMono === true && "font-mono text-xs leading-5")}>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}
