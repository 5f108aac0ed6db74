"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormError } from "@/components/form/form-error.tsx";
import type { GuardTarget } from "@/components/hosts/guard-dialog.tsx";
import { Button } from "@/components/ui/button.tsx";
import { type Fact, Facts, Panel } from "@/components/ui/panel.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { formatBytes } from "@/lib/format.ts";
import { allowedOf, formatPorts, type ParsedGuard } from "@/lib/guard-form.ts";
import { useTRPC } from "@/trpc/client.ts";

const GuardDialog = dynamic(() => import("@/components/hosts/guard-dialog.tsx").then((found) => found.GuardDialog), { ssr: false });

export type GuardPanelProps = {
  title: string;
  /** Where what is shown comes from. */
  source: string;
  editTitle: string;
  target: GuardTarget;
  guard: ParsedGuard;
  /** Whether the reader may change it, and whether it is one of its own that can be taken away again. */
  isAdmin: boolean;
  isOwn: boolean;
  grantLimits?: ParsedGuard["limits"];
};

/** One guard rail: what it allows and limits, for administrators with a way to change it and to go back to the default. */
export function GuardPanel({ title, source, editTitle, target, guard, isAdmin, isOwn, grantLimits = {} }: GuardPanelProps): ReactNode {
  const t = useTranslations("host.guards");
  const [isEditing, setEditing] = useState(false);
  const reset = useReset();
  const actions = (
    <span className="flex gap-2">
      {isOwn ? (
        <Button size="sm" isPending={reset.isPending} onClick={() => reset.mutate(target)}>
          {t("reset")}
        </Button>
      ) : null}
      <Button size="sm" onClick={() => setEditing(true)}>
        {t("edit")}
      </Button>
    </span>
  );
  return (
    <Panel
      title={
        <span className="inline-flex items-center gap-2">
          {title}
          <Badge>{source}</Badge>
        </span>
      }
      actions={isAdmin ? actions : null}
    >
      <Facts items={factsOf(t, guard, grantLimits)} />
      <FormError work={reset} />
      {isEditing ? <GuardDialog title={editTitle} target={target} guard={guard} onClose={() => setEditing(false)} /> : null}
    </Panel>
  );
}

type Words = ReturnType<typeof useTranslations<"host.guards">>;

function factsOf(t: Words, guard: ParsedGuard, grantLimits: ParsedGuard["limits"]): Fact[] {
  const { flags, lists } = allowedOf(guard.allow);
  const words = flags.map((flag) => t(`flags.${flag}`));
  const limits = limitFacts(t, guard.limits);
  const byGrant = limitFacts(t, grantLimits).map(({ label, value }) => `${label}: ${value}`);
  return [
    ...(flags.length === 0 && lists.length > 0
      ? []
      : [{ label: t("allowed"), value: words.length === 0 ? t("nothing") : words.join(", ") }]),
    ...lists.map(({ list, values }) => ({ label: t(`lists.${list}`), value: values.join(", "), isMono: true })),
    ...(limits.length === 0 ? [{ label: t("limitsTitle"), value: t("noLimits") }] : limits),
    ...(byGrant.length === 0 ? [] : [{ label: t("byGrant"), value: byGrant.join(", ") }]),
  ];
}

function limitFacts(t: Words, limits: ParsedGuard["limits"]): { label: string; value: string }[] {
  const { containers, cpus, memoryBytes, hostPorts } = limits;
  const ports = hostPorts === undefined ? "" : hostPorts.length === 0 ? t("noPorts") : formatPorts(hostPorts);
  return [
    ...(containers === undefined ? [] : [{ label: t("limits.containers"), value: String(containers) }]),
    ...(cpus === undefined ? [] : [{ label: t("limits.cpus"), value: String(cpus) }]),
    ...(memoryBytes === undefined ? [] : [{ label: t("memory"), value: formatBytes(memoryBytes) }]),
    ...(hostPorts === undefined ? [] : [{ label: t("limits.hostPorts"), value: ports }]),
  ];
}

function useReset() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return useMutation(
    trpc.guards.reset.mutationOptions({ onSuccess: () => queryClient.invalidateQueries({ queryKey: trpc.guards.pathKey() }) }),
  );
}
