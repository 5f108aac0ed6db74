"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Command } from "@/components/ui/copy-button.tsx";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { Mesh } from "@/trpc/types.ts";

/** Beyond this many hosts a matrix and a map are no longer read, and a list is shown. */
export const MAX_DRAWN_HOSTS = 30;

/** The mesh once it is there, and what to show until then. Live: hosts that see something new make it stale. */
export function WithMesh({ needsPairs, children }: { needsPairs: boolean; children: (mesh: Mesh) => ReactNode }): ReactNode {
  const t = useTranslations("mesh");
  const trpc = useTRPC();
  const query = useQuery(trpc.networks.mesh.queryOptions());
  if (query.isPending) return <Skeleton className="h-64" />;
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  if (needsPairs && query.data.hosts.length < 2) {
    return (
      <EmptyState title={t("aloneTitle")} body={t("aloneBody")}>
        <Command text="flotilla agent join URL --token T" />
      </EmptyState>
    );
  }
  return children(query.data);
}
