import type { ReactNode } from "react";
import { cn } from "@/lib/cn.ts";
import { sparkPaths } from "@/lib/sparkline.ts";

const BOX = { width: 120, height: 20, max: 100 };

/** How a share in percent went, at a glance: no axes, since the figure stands beside it. A picture only; what it tells must be said too. */
export function Sparkline({ values, className }: { values: readonly (number | null)[]; className?: string }): ReactNode {
  return (
    <svg
      aria-hidden
      viewBox={`0 -1 ${BOX.width} ${BOX.height + 2}`}
      preserveAspectRatio="none"
      className={cn("h-5 w-full overflow-visible text-muted", className)}
    >
      <line x1="0" x2={BOX.width} y1={BOX.height} y2={BOX.height} className="stroke-line" vectorEffect="non-scaling-stroke" />
      {sparkPaths(values, BOX).map((path) => (
        <path
          key={path}
          d={path}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.25"
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </svg>
  );
}
