"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { GuardPanel } from "@/components/hosts/guard-panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** What holds on every host for every team that has no guard rail of its own there. */
export function DefaultGuardPanel(): ReactNode {
  const t = useTranslations("settings.guards");
  const sources = useTranslations("host.guards.sources");
  const trpc = useTRPC();
  const query = useQuery(trpc.guards.getDefault.queryOptions());
  if (query.isPending) return <Skeleton className="h-40" />;
  if (query.isError) return <ErrorState title={t("title")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const { guard, isSet } = query.data;
  return (
    <div className="space-y-4">
      <p className="max-w-prose text-sm text-muted">{t("body")}</p>
      <GuardPanel
        title={t("title")}
        source={sources(isSet ? "default" : "safe")}
        editTitle={t("editTitle")}
        target={{}}
        guard={guard}
        isAdmin
        isOwn={isSet}
      />
    </div>
  );
}
