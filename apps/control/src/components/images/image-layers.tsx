"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Segmented } from "@/components/ui/segmented.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { formatBytes } from "@/lib/format.ts";
import { layerRows } from "@/lib/image-row.ts";
import { oneOf } from "@/lib/url-state.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const ORDERS = ["instruction", "size"] as const;

/** The history of an image: its instructions, newest first, or only its layers, largest first; with what each adds. */
export function ImageLayers({ host, id }: { host: string; id: string }): ReactNode {
  const t = useTranslations("image");
  const trpc = useTRPC();
  const url = useUrlState();
  const query = useQuery(trpc.images.history.queryOptions({ host, id }));
  if (query.isPending) return <Skeleton className="h-48" />;
  if (query.isError)
    return <ErrorState title={t("historyFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const all = layerRows(query.data);
  const layers = all.filter((row) => !row.isEmpty).length;
  const order = oneOf(url.get("layers"), ORDERS);
  const rows = order === "size" ? all.filter((row) => !row.isEmpty).sort((a, b) => b.bytes - a.bytes) : all;
  return (
    <Panel
      title={
        <>
          {t("layers")} <span className="tnum font-normal text-muted">{layers}</span>
        </>
      }
      isFlush
      actions={
        <Segmented
          label={t("order")}
          value={order}
          onChange={(next) => url.set({ layers: next === "instruction" ? null : next })}
          items={[
            { id: "instruction", label: t("byInstruction") },
            { id: "size", label: t("bySize") },
          ]}
        />
      }
    >
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
