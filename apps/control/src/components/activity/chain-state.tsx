"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useMe } from "@/components/use-me.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** Whether the audit's hash chain is whole, when an administrator of the instance asks: all of it is walked. */
export function ChainState(): ReactNode {
  const t = useTranslations("activity");
  const trpc = useTRPC();
  const isInstanceAdmin = useMe()?.user.isInstanceAdmin === true;
  const query = useQuery(trpc.activity.verify.queryOptions({}, { enabled: false }));
  if (!isInstanceAdmin) return null;
  const { data, error } = query;
  return (
    <span className="ml-auto flex min-w-0 flex-wrap items-center gap-2 text-xs text-muted">
      {error === null ? null : <span className="text-bad">{errorMessage(error)}</span>}
      {data === undefined ? null : data.fault === null ? (
        <span className="tnum break-all">
          {t("whole", { count: data.sealCount, head: `${data.head.seq}:${data.head.hash.slice(0, 12)}…` })}
        </span>
      ) : (
        <Badge tone="bad">{t("broken", { row: data.fault.rowId, reason: data.fault.reason })}</Badge>
      )}
      <Button size="sm" isPending={query.isFetching} onClick={() => void query.refetch()}>
        {t("verify")}
      </Button>
    </span>
  );
}
