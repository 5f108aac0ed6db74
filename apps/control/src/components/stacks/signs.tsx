"use client";

import { Check, CircleDashed, LoaderCircle, TriangleAlert, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Status } from "@/components/ui/status-dot.tsx";
import { cn } from "@/lib/cn.ts";
import type { Tone } from "@/lib/container-state.ts";
import { knownOr, type Outcome, OUTCOMES, outcomeTone, STACK_STATES, type StackState, stackTone } from "@/lib/stack-state.ts";

const ICONS = { ok: Check, info: LoaderCircle, warn: TriangleAlert, bad: X, idle: CircleDashed } as const;
const COLORS: Readonly<Record<Tone, string>> = { ok: "text-ok", info: "text-info", warn: "text-warn", bad: "text-bad", idle: "text-muted" };

/** A sign beside the colour, for those who do not see the colour. */
export function ToneSign({ tone, className }: { tone: Tone; className?: string }): ReactNode {
  const Icon = ICONS[tone];
  return <Icon aria-hidden className={cn("size-3.5 shrink-0", COLORS[tone], tone === "info" && "animate-spin", className)} />;
}

export function StackStatus({ state }: { state: string }): ReactNode {
  const t = useTranslations("stacks.states");
  const known: StackState = knownOr(state, STACK_STATES, "degraded");
  return <Status tone={stackTone(known)}>{t(known)}</Status>;
}

export function OutcomeStatus({ outcome }: { outcome: string }): ReactNode {
  const t = useTranslations("stacks.outcomes");
  const known: Outcome = knownOr(outcome, OUTCOMES, "running");
  return <Status tone={outcomeTone(known)}>{t(known)}</Status>;
}
