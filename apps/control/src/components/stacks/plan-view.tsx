"use client";

import { ArrowRight, Ban, Minus, Plus, RefreshCw } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { StackNotes } from "@/components/stacks/issue-text.tsx";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { Badge } from "@/components/ui/status-dot.tsx";
import { cn } from "@/lib/cn.ts";
import type { Tone } from "@/lib/container-state.ts";
import { countPlan, PLAN_ACTS, type PlanAct, type PlanLine, planLines, type PlannedService, type ReadablePlan } from "@/lib/stack-plan.ts";

const ICONS = { make: Plus, replace: RefreshCw, move: ArrowRight, remove: Minus, unplaced: Ban } as const;
const COLORS: Readonly<Record<PlanAct, string>> = {
  make: "text-ok",
  replace: "text-info",
  move: "text-info",
  remove: "text-bad",
  keep: "text-faint",
  unplaced: "text-bad",
};
const CHANGE_TONES: Readonly<Record<PlannedService["change"], Tone>> = {
  create: "ok",
  update: "info",
  scale: "info",
  remove: "bad",
  none: "idle",
};

/** What applying would do, or did: for each service what becomes of its replicas, on which host, and why. */
export function PlanView({ plan }: { plan: ReadablePlan }): ReactNode {
  const t = useTranslations("stacks.plan");
  const counts = countPlan(plan.services);
  const shown = PLAN_ACTS.filter((act) => counts[act] > 0);
  return (
    <div className="space-y-3">
      <p className="flex flex-wrap gap-x-4 gap-y-1 text-sm" data-plan={shown.map((act) => `${act}:${counts[act]}`).join(" ")}>
        {shown.length === 0 ? <span className="text-muted">{t("nothing")}</span> : null}
        {shown.map((act) => (
          <span key={act} className={cn("inline-flex items-center gap-1.5", act === "keep" ? "text-muted" : COLORS[act])}>
            <ActIcon act={act} />
            {t(`counts.${act}`, { count: counts[act] })}
          </span>
        ))}
      </p>
      <StackNotes issues={plan.issues} notes={plan.notes} />
      {plan.networks.length === 0 ? null : (
        <p className="text-sm text-muted">{t("networks", { count: plan.networks.length, names: plan.networks.join(", ") })}</p>
      )}
      <ul className="divide-y rounded-lg border bg-panel">
        {plan.services.map((service) => (
          <li key={service.name} className="px-4 py-3">
            <ServicePlan service={service} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ServicePlan({ service }: { service: PlannedService }): ReactNode {
  const t = useTranslations("stacks.plan");
  const say = useReasons();
  // Of a service that stays as it is nothing more is worth reading.
  const isKept = service.change === "none" && service.replicas.every(({ act }) => act === "keep");
  const lines = isKept ? [] : planLines(service.replicas);
  return (
    <>
      <p className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
        <span className="font-medium">{service.name}</span>
        <Badge tone={CHANGE_TONES[service.change]}>{t(`changes.${service.change}`)}</Badge>
        {service.reasons.length === 0 ? null : (
          <span className="min-w-0 text-xs break-all text-muted">
            {service.differs.length === 0 ? service.reasons.join(" · ") : service.differs.map((each) => say([each], "")).join(" · ")}
          </span>
        )}
      </p>
      <ul className={lines.length === 0 ? "hidden" : "mt-1.5 space-y-1"}>
        {lines.map((line) => (
          <li key={JSON.stringify(line)} className="grid grid-cols-[1rem_minmax(0,1fr)] items-start gap-x-2 text-sm">
            <span className={cn("mt-0.5", COLORS[line.act])}>
              <ActIcon act={line.act} />
            </span>
            <span className="min-w-0 break-words">
              <span>{t(`acts.${line.act}`, { slots: line.slots, hasSlots: line.slots === "" ? "no" : "yes" })}</span>{" "}
              <PlaceText line={line} />
              <span className="block text-xs text-muted">{say(line.reasons, line.because)}</span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function PlaceText({ line }: { line: PlanLine }): ReactNode {
  if (line.act === "move") {
    return (
      <span className="inline-flex items-center gap-1 font-medium">
        {line.fromHost}
        <ArrowRight aria-hidden className="size-3.5 text-muted" />
        {line.host}
      </span>
    );
  }
  const host = line.act === "remove" ? line.fromHost : line.host;
  return host === null ? null : <span className="font-medium">{host}</span>;
}

function ActIcon({ act }: { act: PlanAct }): ReactNode {
  if (act === "keep")
    return (
      <span aria-hidden className="inline-block w-4 text-center">
        ·
      </span>
    );
  const Icon = ICONS[act];
  return <Icon aria-hidden className="size-4" />;
}
