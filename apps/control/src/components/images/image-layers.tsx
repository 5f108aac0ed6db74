"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { formatBytes } from "@/lib/format.ts";
import { layerRows } from "@/lib/image-row.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** The history of an image, newest first: which instruction made what of its size. */
export function ImageLayers({ host, id }: { host: string; id: string }): ReactNode {
  const t = useTranslations("image");
  const trpc = useTRPC();
  const query = useQuery(trpc.images.history.queryOptions({ host, id }));
  if (query.isPending) return <Skeleton className="h-48" />;
  if (query.isError)
    return <ErrorState title={t("historyFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const rows = layerRows(query.data);
  const layers = rows.filter((row) => !row.isEmpty).length;
  return (
    <Panel title={t("layers")} isFlush actions={<span className="tnum text-xs text-muted">{t("layerCount", { count: layers })}</span>}>
      <ol>
        {rows.map((row, index) => (
          <li
            key={index}
            className="grid gap-x-4 gap-y-1 border-b px-4 py-2 last:border-b-0 sm:grid-cols-[minmax(0,1fr)_9rem_5rem] sm:items-center"
          >
            <code className={`font-mono text-xs leading-5 break-all whitespace-pre-wrap ${row.isEmpty ? "text-muted" : ""}`}>
              {row.instruction || t("unknown")}
            </code>
            {row.isEmpty ? (
              <span className="max-sm:hidden" />
            ) : (
              <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-active">
                <span className="block h-full rounded-full bg-muted/70" style={{ width: `${Math.max(1, row.sharePercent)}%` }} />
              </span>
            )}
            <span className="tnum text-xs text-muted sm:text-right">{row.isEmpty ? t("noSize") : formatBytes(row.bytes)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
