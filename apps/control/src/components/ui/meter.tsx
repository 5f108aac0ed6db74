import type { ReactNode } from "react";
import { cn } from "@/lib/cn.ts";

export type MeterProps = { percent: number; label: string; text?: ReactNode; className?: string };

/** A bar for a share of something. It is grey until it needs a look: amber from 80%, red from 92%. */
export function Meter({ percent, label, text, className }: MeterProps): ReactNode {
  const share = Math.min(100, Math.max(0, percent));
  const color = share >= 92 ? "bg-bad" : share >= 80 ? "bg-warn" : "bg-muted/70";
  return (
    <div className={cn("flex min-w-0 items-center gap-2", className)}>
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share)}
        className="h-1.5 min-w-8 flex-1 overflow-hidden rounded-full bg-active"
      >
        <div className={cn("h-full rounded-full transition-[width] duration-300", color)} style={{ width: `${share}%` }} />
      </div>
      {text === undefined ? null : <span className="tnum w-10 shrink-0 text-right text-xs text-muted">{text}</span>}
    </div>
  );
}
