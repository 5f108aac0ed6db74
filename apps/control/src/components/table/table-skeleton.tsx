import type { ReactNode } from "react";
import { Skeleton } from "@/components/ui/states.tsx";

const WIDTHS = ["w-40", "w-28", "w-36", "w-24", "w-32", "w-44", "w-28", "w-36"];

/** A table's place while it loads: the same row height as the real one, so that nothing jumps. */
export function TableSkeleton({ rows = 6 }: { rows?: number }): ReactNode {
  return (
    <div aria-hidden className="rounded-lg border bg-panel">
      <div className="h-9 border-b" />
      {Array.from({ length: rows }, (_unused, index) => (
        <div key={index} className="flex h-12 items-center justify-between border-b px-3 last:border-b-0">
          <Skeleton className={`h-3.5 ${WIDTHS[index % WIDTHS.length] ?? "w-32"}`} />
          <Skeleton className="h-3.5 w-16" />
        </div>
      ))}
    </div>
  );
}
