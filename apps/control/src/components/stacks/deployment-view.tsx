"use client";

import { useQuery } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { lazyPart } from "@/components/frame/lazy-part.tsx";
import { Duration } from "@/components/stacks/duration.tsx";
import { OutcomeStatus } from "@/components/stacks/signs.tsx";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { cn } from "@/lib/cn.ts";
import { parseTime } from "@/lib/format.ts";
import { stackHref } from "@/lib/stack-href.ts";
import { mergeSteps } from "@/lib/stack-steps.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { DeploymentRow, DeploymentStep } from "@/trpc/types.ts";

// Read and drawn by more code than the rest of the page: it comes with the first plan that somebody opens.
const StoredPlanView = lazyPart(() => import("@/components/stacks/stored-plan.tsx").then((found) => found.StoredPlanView));

/** One deployment: how it stands, the plan that it was, and its steps as they happen. */
export function DeploymentView({ id, hasStack }: { id: string; hasStack: boolean }): ReactNode {
  const t = useTranslations("stacks.deployments");
  const trpc = useTRPC();
  const [live, setLive] = useState<{ deployment: DeploymentRow | null; steps: readonly DeploymentStep[] }>({ deployment: null, steps: [] });
  const query = useQuery(trpc.deployments.get.queryOptions({ id }));
  const isOpen = query.data !== undefined && query.data.finishedAt === null;
  useSubscription(
    trpc.deployments.onSteps.subscriptionOptions(
      { id },
      {
        enabled: isOpen,
        onData: ({ deployment, steps }) => setLive((before) => ({ deployment, steps: mergeSteps(before.steps, steps) })),
      },
    ),
  );
  if (query.isPending) return <Skeleton className="h-72" />;
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const row = query.data.finishedAt === null && live.deployment !== null ? live.deployment : query.data;
  const steps = mergeSteps(query.data.steps, live.steps);
  return (
    <div className="min-w-0 space-y-4">
      <Panel>
        <Facts
          items={[
            ...(hasStack
              ? [
                  {
                    label: t("stack"),
                    value: (
                      <Link href={stackHref({ name: row.stack })} className="underline">
                        {row.stack}
                      </Link>
                    ),
                  },
                ]
              : []),
            { label: t("outcome"), value: <OutcomeStatus outcome={row.outcome} /> },
            ...(row.message === "" ? [] : [{ label: t("message"), value: <Message text={row.message} steps={steps} /> }]),
            { label: t("by"), value: row.actor },
            { label: t("revisionLabel"), value: row.revision },
            { label: t("duration"), value: <Duration row={row} /> },
          ]}
        />
      </Panel>
      <Panel title={t("steps")}>
        {steps.length === 0 ? <p className="text-sm text-muted">{t("noSteps")}</p> : <StepList steps={steps} />}
      </Panel>
      <PlanPanel plan={query.data.plan} />
    </div>
  );
}

/** Why it stands as it does, which is the text of one of its steps too: that one is there as data. */
function Message({ text, steps }: { text: string; steps: readonly DeploymentStep[] }): ReactNode {
  const step = steps.findLast((each) => each.text === text);
  return <span className="whitespace-pre-wrap">{step === undefined ? text : <StepText step={step} />}</span>;
}

function StepList({ steps }: { steps: readonly DeploymentStep[] }): ReactNode {
  const t = useTranslations("stacks.deployments");
  const locale = useLocale();
  return (
    <ol aria-label={t("steps")} className="space-y-1.5 text-sm">
      {steps.map((step) => {
        const time = parseTime(step.time);
        return (
          <li key={step.id} className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-3 sm:grid-cols-[4.5rem_minmax(0,7rem)_minmax(0,1fr)]">
            <time className="tnum text-xs leading-5 text-faint" suppressHydrationWarning>
              {time === null ? "" : new Date(time).toLocaleTimeString(locale, { hour12: false })}
            </time>
            <span className="truncate font-medium">{step.service}</span>
            <span className={cn("min-w-0 break-words whitespace-pre-wrap max-sm:col-span-2", step.level === "failure" && "text-bad")}>
              <StepText step={step} />
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function StepText({ step }: { step: DeploymentStep }): ReactNode {
  const t = useTranslations("stacks.deployments.events");
  const say = useReasons();
  const { said, text, host } = step;
  if (said === null) return text;
  const { event, slot = "", revision = 0, reasons } = said;
  return event === "says" ? say(reasons, text) : t(event, { slot, revision, host: host ?? "", reasons: say(reasons, "") });
}

function PlanPanel({ plan }: { plan: unknown }): ReactNode {
  const t = useTranslations("stacks.deployments");
  const [isOpen, setOpen] = useState(false);
  if (typeof plan !== "object" || plan === null) return null;
  return (
    <details className="rounded-lg border bg-panel" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="px-4 py-2.5 text-sm font-semibold">{t("plan")}</summary>
      <div className="border-t p-4">{isOpen ? <StoredPlanView plan={plan} /> : null}</div>
    </details>
  );
}
