"use client";

import { useQuery } from "@tanstack/react-query";
import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { StatusDot } from "@/components/ui/status-dot.tsx";
import { containerHref, containerName } from "@/lib/container-row.ts";
import { containerTone, exitCodeFromStatus, healthFromStatus } from "@/lib/container-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** The containers of an image on its host, running or not: they keep it from being removed. */
export function ImageUsedBy({ host, id }: { host: string; id: string }): ReactNode {
  const t = useTranslations("image");
  const trpc = useTRPC();
  const query = useQuery(trpc.containers.list.queryOptions({ host }));
  if (query.isPending) return <Skeleton className="h-20" />;
  if (query.isError)
    return <ErrorState title={t("usedByFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const users = query.data.items.filter((container) => container.ImageID === id);
  return (
    <Panel title={t("usedBy")} isFlush>
      {users.length === 0 ? (
        <p className="px-4 py-3 text-sm text-muted">{t("unused")}</p>
      ) : (
        <ul>
          {users.map((container) => (
            <li key={container.Id} className="border-b last:border-b-0">
              <Link
                href={containerHref(container)}
                className="flex items-center gap-2.5 px-4 py-2 text-sm hover:bg-hover focus-visible:-outline-offset-2"
              >
                <StatusDot
                  tone={containerTone({
                    state: container.State,
                    health: healthFromStatus(container.Status),
                    exitCode: exitCodeFromStatus(container.Status),
                  })}
                />
                <span className="min-w-0 truncate">{containerName(container)}</span>
                <span className="ml-auto shrink-0 text-xs text-muted">{container.Status}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
