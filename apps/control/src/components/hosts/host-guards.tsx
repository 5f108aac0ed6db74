"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { GuardPanel } from "@/components/hosts/guard-panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { useMe } from "@/components/use-me.ts";
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
    <div className="max-w-3xl space-y-4">
      <p className="max-w-prose text-sm text-muted">{t(isAdmin ? "introAdmin" : "intro")}</p>
      {query.data.teams.map((guard) => (
        <GuardPanel
          key={guard.team.id}
          title={guard.team.name}
          source={t(`sources.${guard.source}`)}
          editTitle={t("editTitle", { team: guard.team.name, host: host.name })}
          target={{ host: host.id, team: guard.team.id }}
          guard={guard}
          isAdmin={isAdmin}
          isOwn={guard.source === "own"}
          grantLimits={guard.grantLimits}
        />
      ))}
    </div>
  );
}
