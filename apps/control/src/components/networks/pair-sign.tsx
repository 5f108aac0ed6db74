import { Ban, Check, CircleHelp, Minus, Timer, TriangleAlert, X } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn.ts";
import { PAIR_TONES, type PairSign } from "@/lib/mesh-view.ts";

const ICONS = {
  ok: Check,
  slow: Timer,
  lossy: TriangleAlert,
  narrow: TriangleAlert,
  shut: Ban,
  down: X,
  stale: CircleHelp,
  unknown: CircleHelp,
  none: Minus,
} as const satisfies Record<PairSign, unknown>;

export const TONE_TEXTS = { ok: "text-ok", warn: "text-warn", bad: "text-bad", info: "text-info", idle: "text-muted" } as const;
export const TONE_SOFT = { ok: "bg-ok-soft", warn: "bg-warn-soft", bad: "bg-bad-soft", info: "bg-info-soft", idle: "bg-hover" } as const;

/** The sign of a pair: its shape says it as well as its colour. */
export function PairIcon({ sign, className }: { sign: PairSign; className?: string }): ReactNode {
  const Icon = ICONS[sign];
  return <Icon aria-hidden className={cn("size-3.5 shrink-0", TONE_TEXTS[PAIR_TONES[sign]], className)} />;
}
