"use client";

import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { cn } from "@/lib/cn.ts";

/** Holds the place of what is loading, at its height. */
export function Skeleton({ className }: { className?: string }): ReactNode {
  return <div aria-hidden className={cn("animate-pulse rounded-md bg-hover", className)} />;
}

export type EmptyStateProps = { title: string; body?: ReactNode; children?: ReactNode; className?: string };

/** Nothing here yet: says what comes next, and holds the command or the button for it. */
export function EmptyState({ title, body, children, className }: EmptyStateProps): ReactNode {
  return (
    <div className={cn("flex flex-col items-center rounded-lg border border-dashed border-line-strong px-4 py-12 text-center", className)}>
      <h2 className="text-base font-medium">{title}</h2>
      {body === undefined ? null : <p className="mt-1 max-w-md text-sm text-muted">{body}</p>}
      {children === undefined ? null : <div className="mt-4 flex w-full max-w-lg flex-col items-center gap-3">{children}</div>}
    </div>
  );
}

export type ErrorStateProps = { title: string; message: string; onRetry?: () => void };

/** What failed, why, and the next step. */
export function ErrorState({ title, message, onRetry }: ErrorStateProps): ReactNode {
  const t = useTranslations("common");
  return (
    <div role="alert" className="flex flex-wrap items-start gap-3 rounded-lg border border-bad/40 bg-bad-soft px-4 py-3">
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="text-sm font-medium">{title}</p>
        <p className="text-sm break-words text-muted">{message}</p>
      </div>
      {onRetry === undefined ? null : (
        <Button size="sm" onClick={onRetry}>
          {t("retry")}
        </Button>
      )}
    </div>
  );
}

/** Part of the answer is missing, the rest is shown: a quiet line above it. */
export function PartialNotice({ children }: { children: ReactNode }): ReactNode {
  return (
    <p role="status" className="flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="min-w-0 break-words">{children}</span>
    </p>
  );
}
