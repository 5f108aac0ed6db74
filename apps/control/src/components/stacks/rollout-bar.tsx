"use client";

import { Check, Pause, Play, Undo2 } from "lucide-react";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { cn } from "@/lib/cn.ts";
import type { Rollout, RolloutAct } from "@/lib/stack-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { StackService } from "@/trpc/types.ts";

const ICONS = { pause: Pause, continue: Play, abort: Undo2, approve: Check } as const;

/** How far a rollout is, what it waits for or why it stopped, and what a person may do about it. */
export function RolloutBar({ stack, service, rollout }: { stack: string; service: StackService; rollout: Rollout }): ReactNode {
  const t = useTranslations("stacks.rollout");
  const say = useReasons();
  const trpc = useTRPC();
  const [isAsking, setAsking] = useState(false);
  const control = useMutation(trpc.services.control.mutationOptions({ onSuccess: () => setAsking(false) }));
  const act = (chosen: RolloutAct): void => control.mutate({ stack, service: service.name, act: chosen });
  const percent = rollout.wanted === 0 ? 0 : (100 * rollout.updated) / rollout.wanted;
  const [headline = "", ...rest] = say(service.reasons, service.message).split("\n");
  const isFailed = service.state === "failed";
  const color = isFailed ? "bg-bad" : service.state === "held" ? "bg-warn" : "bg-info";
  return (
    <div className="rounded-md bg-hover px-3 py-2.5" data-rollout={service.state}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <div
          role="progressbar"
          aria-label={t("label", { name: service.name })}
          aria-valuemin={0}
          aria-valuemax={rollout.wanted}
          aria-valuenow={rollout.updated}
          className="h-1.5 min-w-24 flex-1 overflow-hidden rounded-full bg-line-strong"
        >
          <div className={cn("h-full rounded-full transition-[width] duration-300", color)} style={{ width: `${percent}%` }} />
        </div>
        <span className="tnum text-xs text-muted">{t("updated", { updated: rollout.updated, wanted: rollout.wanted })}</span>
        <May right="stack.control">
          <span className="flex flex-wrap gap-1.5">
            {rollout.acts.map((each) => {
              const Icon = ICONS[each];
              return (
                <Button
                  key={each}
                  size="sm"
                  variant={each === "approve" ? "primary" : "outline"}
                  disabled={control.isPending}
                  onClick={() => (each === "abort" ? setAsking(true) : act(each))}
                >
                  <Icon />
                  {t(`acts.${each}`)}
                </Button>
              );
            })}
          </span>
        </May>
      </div>
      {headline === "" ? null : <p className={cn("mt-1.5 text-sm break-words", isFailed ? "text-bad" : "text-muted")}>{headline}</p>}
      {rest.length === 0 ? null : (
        <pre tabIndex={0} className="mt-1 max-h-60 overflow-auto font-mono text-xs break-all whitespace-pre-wrap text-muted">
          {rest.join("\n")}
        </pre>
      )}
      {control.error === null || isAsking ? null : (
        <p role="alert" className="mt-1.5 text-sm break-words text-bad">
          {errorMessage(control.error)}
        </p>
      )}
      <ConfirmDialog
        isOpen={isAsking}
        onOpenChange={() => setAsking(false)}
        title={t("abortTitle", { name: service.name })}
        body={<p>{t("abortBody")}</p>}
        confirmLabel={t("acts.abort")}
        isPending={control.isPending}
        error={control.error === null ? undefined : errorMessage(control.error)}
        onConfirm={() => act("abort")}
      />
    </div>
  );
}
