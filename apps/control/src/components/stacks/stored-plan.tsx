"use client";

import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { PlanView } from "@/components/stacks/plan-view.tsx";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { readStoredPlan } from "@/lib/stack-plan.ts";

/** The plan that a deployment was made with, whichever of its forms it has. */
export function StoredPlanView({ plan }: { plan: unknown }): ReactNode {
  const t = useTranslations("stacks.deployments");
  const say = useReasons();
  const stored = readStoredPlan(plan);
  if (stored.kind === "plan") return <PlanView plan={stored.plan} />;
  if (stored.kind === "reason") return <p className="text-sm">{say(stored.reasons, stored.reason)}</p>;
  if (stored.kind === "none") return <p className="text-sm text-muted">{t("noPlan")}</p>;
  return (
    <ul className="space-y-1 text-sm">
      {stored.moves.map((move) => (
        <li key={JSON.stringify(move)} className="flex flex-wrap items-center gap-x-1.5">
          {move.from}
          <ArrowRight aria-hidden className="size-3.5 text-muted" />
          {move.to}
          <span className="text-xs text-muted">{say(move.reasons, move.because)}</span>
        </li>
      ))}
    </ul>
  );
}
