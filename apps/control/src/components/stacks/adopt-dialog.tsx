"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { PlanView } from "@/components/stacks/plan-view.tsx";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Facts } from "@/components/ui/panel.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { stackHref } from "@/lib/stack-href.ts";
import { toReadablePlan } from "@/lib/stack-plan.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { AdoptionPlan } from "@/trpc/types.ts";

type AdoptDialogProps = { project: string; host: { id: string; name: string }; onClose: () => void };

/** What making a stack of a project that runs would do, and doing it. */
export function AdoptDialog({ project, host, onClose }: AdoptDialogProps): ReactNode {
  const t = useTranslations("stacks.outside");
  const common = useTranslations("common");
  const trpc = useTRPC();
  const router = useRouter();
  const plan = useQuery(trpc.stacks.adoptionPlan.queryOptions({ host: host.id, project }, { staleTime: 0, retry: false }));
  const adopt = useMutation(trpc.stacks.adopt.mutationOptions({ onSuccess: () => router.push(stackHref({ name: project })) }));
  const error = plan.error ?? adopt.error;
  return (
    <Dialog isOpen placement="side" onOpenChange={onClose} title={t("planTitle", { project })}>
      <p className="mb-3 text-sm text-muted">{t("planBody", { host: host.name })}</p>
      {plan.isPending ? <Skeleton className="h-32" /> : null}
      {plan.data === undefined ? null : <Planned plan={plan.data} />}
      {error === null ? null : (
        <p role="alert" className="mt-3 text-sm break-words text-bad">
          {errorMessage(error)}
        </p>
      )}
      <DialogActions>
        {adopt.error === null ? null : <Button onClick={() => (adopt.reset(), void plan.refetch())}>{t("planAgain")}</Button>}
        <Button onClick={onClose}>{common("cancel")}</Button>
        <Button
          variant="primary"
          disabled={plan.data === undefined || adopt.error !== null}
          isPending={adopt.isPending || adopt.isSuccess}
          onClick={() => adopt.mutate({ host: host.id, project, ...(plan.data === undefined ? {} : { basis: plan.data.basis }) })}
        >
          {t("confirm")}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Planned({ plan }: { plan: AdoptionPlan }): ReactNode {
  const t = useTranslations("stacks.outside");
  const say = useReasons();
  const names = (list: readonly string[]): string => (list.length === 0 ? t("none") : list.join(", "));
  return (
    <div className="space-y-3">
      <PlanView plan={toReadablePlan(plan)} />
      <Facts
        items={[
          { label: t("volumes"), value: names(plan.volumes) },
          { label: t("networks"), value: names(plan.networks) },
          { label: t("variables"), value: plan.variables.length === 0 ? t("none") : t("variableCount", { count: plan.variables.length }) },
        ]}
      />
      {plan.left.length === 0 ? null : (
        <div className="text-sm">
          <p className="font-medium">{t("left")}</p>
          <ul className="text-muted">
            {plan.left.map(({ container, because, reasons }) => (
              <li key={container} className="break-words">
                {say(reasons, because)}
              </li>
            ))}
          </ul>
        </div>
      )}
      <details className="text-sm">
        <summary className="cursor-pointer font-medium">{t("source")}</summary>
        <pre tabIndex={0} className="mt-2 max-h-64 overflow-auto rounded-md border bg-canvas p-3 font-mono text-xs">
          {plan.source}
        </pre>
      </details>
    </div>
  );
}
