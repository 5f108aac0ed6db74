"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** Shows which replicas would move so that hosts have about the same number, and moves them. */
export function RebalanceDialog({ stack, onClose }: { stack: string; onClose: () => void }): ReactNode {
  const t = useTranslations("stacks.stack.rebalance");
  const say = useReasons();
  const common = useTranslations("common");
  const trpc = useTRPC();
  const plan = useQuery(trpc.stacks.rebalancePlan.queryOptions({ stack }, { staleTime: 0 }));
  const rebalance = useMutation(trpc.stacks.rebalance.mutationOptions({ onSuccess: onClose }));
  const moves = plan.data?.moves ?? [];
  const error = plan.error ?? rebalance.error;
  return (
    <Dialog isOpen onOpenChange={onClose} title={t("title", { name: stack })}>
      {plan.isPending ? <Skeleton className="h-16" /> : null}
      {plan.data === undefined ? null : moves.length === 0 ? (
        <p className="text-sm text-muted">{t("nothing")}</p>
      ) : (
        <ul className="space-y-2 text-sm">
          {moves.map((move) => (
            <li key={move.replicaId}>
              <span className="inline-flex items-center gap-1.5 font-medium">
                {move.from}
                <ArrowRight aria-hidden className="size-3.5 text-muted" />
                {move.to}
              </span>
              <span className="block text-xs text-muted">{say(move.reasons, move.because)}</span>
            </li>
          ))}
        </ul>
      )}
      {error === null ? null : (
        <p role="alert" className="mt-3 text-sm break-words text-bad">
          {errorMessage(error)}
        </p>
      )}
      <DialogActions>
        <Button onClick={onClose}>{common("cancel")}</Button>
        <Button variant="primary" disabled={moves.length === 0} isPending={rebalance.isPending} onClick={() => rebalance.mutate({ stack })}>
          {t("confirm", { count: moves.length })}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
