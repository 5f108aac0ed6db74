"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { GuardDialog } from "@/components/hosts/guard-dialog.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useMe } from "@/components/use-me.ts";
import { formatBytes } from "@/lib/format.ts";
import { allowedOf, formatPorts, type TeamGuard } from "@/lib/guard-form.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { HostDetails } from "@/trpc/types.ts";

/** What each team's containers may do on a host, and how much of it they may use. */
export function HostGuards({ host }: { host: HostDetails }): ReactNode {
  const t = useTranslations("host.guards");
  const trpc = useTRPC();
  const query = useQuery(trpc.guards.get.queryOptions({ host: host.id }));
  const isAdmin = useMe()?.user.isInstanceAdmin === true;
  if (query.isPending) return <Skeleton className="h-40" />;
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  return (
    <div className="space-y-4">
      <p className="max-w-prose text-sm text-muted">{t(isAdmin ? "introAdmin" : "intro")}</p>
      {query.data.teams.map((guard) => (
        <GuardPanel key={guard.team.id} host={host} guard={guard} isAdmin={isAdmin} />
      ))}
    </div>
  );
}

function GuardPanel({ host, guard, isAdmin }: { host: HostDetails; guard: TeamGuard; isAdmin: boolean }): ReactNode {
  const t = useTranslations("host.guards");
  const [isEditing, setEditing] = useState(false);
  const { flags, lists } = allowedOf(guard.allow);
  const reset = useReset();
  return (
    <Panel
      title={
        <span className="inline-flex items-center gap-2">
          {guard.team.name}
          <Badge>{t(`sources.${guard.source}`)}</Badge>
        </span>
      }
      actions={
        isAdmin ? (
          <span className="flex gap-2">
            {guard.source === "own" ? (
              <Button size="sm" isPending={reset.isPending} onClick={() => reset.mutate({ host: host.id, team: guard.team.id })}>
                {t("reset")}
              </Button>
            ) : null}
            <Button size="sm" onClick={() => setEditing(true)}>
              {t("edit")}
            </Button>
          </span>
        ) : null
      }
    >
      <Facts
        items={[
          {
            label: t("allowed"),
            value: flags.length === 0 && lists.length === 0 ? t("nothing") : flags.map((flag) => t(`flags.${flag}`)).join(", "),
          },
          ...lists.map(({ list, values }) => ({ label: t(`lists.${list}`), value: values.join(", "), isMono: true })),
          ...limitFacts(t, guard.limits),
          ...(Object.keys(guard.grantLimits).length === 0 ? [] : [{ label: t("byGrant"), value: limitFacts(t, guard.grantLimits).map(({ label, value }) => `${label}: ${value}`).join(", ") }]), // prettier-ignore
        ]}
      />
      {reset.error === null ? null : (
        <p role="alert" className="mt-2 text-sm text-bad">
          {errorMessage(reset.error)}
        </p>
      )}
      {isEditing ? <GuardDialog host={host} guard={guard} onClose={() => setEditing(false)} /> : null}
    </Panel>
  );
}

type Words = ReturnType<typeof useTranslations<"host.guards">>;

function limitFacts(t: Words, limits: TeamGuard["limits"]): { label: string; value: string }[] {
  const { containers, cpus, memoryBytes, hostPorts } = limits;
  return [
    ...(containers === undefined ? [] : [{ label: t("limits.containers"), value: String(containers) }]),
    ...(cpus === undefined ? [] : [{ label: t("limits.cpus"), value: String(cpus) }]),
    ...(memoryBytes === undefined ? [] : [{ label: t("limits.memory"), value: formatBytes(memoryBytes) }]),
    ...(hostPorts === undefined ? [] : [{ label: t("limits.hostPorts"), value: hostPorts.length === 0 ? t("noPorts") : formatPorts(hostPorts) }]), // prettier-ignore
  ];
}

function useReset() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return useMutation(
    trpc.guards.reset.mutationOptions({ onSuccess: () => queryClient.invalidateQueries({ queryKey: trpc.guards.pathKey() }) }),
  );
}
