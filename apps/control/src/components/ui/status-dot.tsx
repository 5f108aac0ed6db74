import type { ReactNode } from "react";
import { cn } from "@/lib/cn.ts";
import type { Tone } from "@/lib/container-state.ts";

const DOTS: Readonly<Record<Tone, string>> = {
  ok: "bg-ok",
  warn: "bg-warn",
  bad: "bg-bad",
  info: "bg-info",
  idle: "bg-transparent ring-1 ring-inset ring-faint",
};
const TEXTS: Readonly<Record<Tone, string>> = { ok: "text-ok", warn: "text-warn", bad: "text-bad", info: "text-info", idle: "text-muted" };

export function StatusDot({ tone, className }: { tone: Tone; className?: string }): ReactNode {
  return <span aria-hidden className={cn("inline-block size-2 shrink-0 rounded-full", DOTS[tone], className)} />;
}

/** A state in words beside its dot: colour is never the only sign. */
export function Status({ tone, children, className }: { tone: Tone; children: ReactNode; className?: string }): ReactNode {
  return (
    <span className={cn("inline-flex min-w-0 items-center gap-2", className)}>
      <StatusDot tone={tone} />
      <span className={cn("truncate", tone === "bad" || tone === "warn" ? TEXTS[tone] : "text-ink")}>{children}</span>
    </span>
  );
}

const SOFT: Readonly<Record<Tone, string>> = {
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  info: "bg-info-soft text-info",
  idle: "bg-hover text-muted",
};

export function Badge({ tone = "idle", children, className }: { tone?: Tone; children: ReactNode; className?: string }): ReactNode {
  return (
    <span
      className={cn(
        "inline-flex h-5 max-w-full items-center rounded-sm px-1.5 text-xs font-medium whitespace-nowrap",
        SOFT[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}
