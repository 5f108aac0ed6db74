"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { StatusDot } from "@/components/ui/status-dot.tsx";
import { Tooltip } from "@/components/ui/tooltip.tsx";
import { type LiveState, useLiveState } from "@/trpc/live.tsx";

const TONES = { connected: "ok", connecting: "warn", lost: "bad" } as const satisfies Record<LiveState, string>;

/** Whether the page is live. Silent when it is; in words when it is not. */
export function LiveDot(): ReactNode {
  const t = useTranslations("shell.live");
  const state = useLiveState();
  return (
    <Tooltip text={t(`${state}Hint`)}>
      <span
        tabIndex={0}
        role="status"
        data-live={state}
        className="inline-flex h-8 items-center gap-2 rounded-md px-1.5 text-xs text-muted"
      >
        <StatusDot tone={TONES[state]} className={state === "connecting" ? "animate-pulse" : ""} />
        <span className={state === "connected" ? "sr-only" : "max-sm:sr-only"}>{t(state)}</span>
      </span>
    </Tooltip>
  );
}
