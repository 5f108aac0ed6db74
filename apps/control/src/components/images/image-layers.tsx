"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { LAYER_GRID, LayerItem } from "@/components/images/layer-item.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { cn } from "@/lib/cn.ts";
import { formatBytes, formatPercent } from "@/lib/format.ts";
import { layerRows } from "@/lib/image-row.ts";
import { shareOf } from "@/lib/layer-files.ts";
import { oneOf } from "@/lib/url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { LayerDetail } from "@/trpc/types.ts";

const ORDERS = ["instruction", "size"] as const;

/**
 * The history of an image: its instructions, newest first, or only its layers, largest first; with what each adds. What the
 * files of each layer are comes later than the history, into places that are kept free for it.
 */
export function ImageLayers({ host, id }: { host: string; id: string }): ReactNode {
  const t = useTranslations("image");
  const trpc = useTRPC();
  const url = useUrlState();
  const query = useQuery(trpc.images.history.queryOptions({ host, id }));
  const files = useQuery(trpc.images.layers.queryOptions({ host, id }));
  const [isExplained, setExplained] = useState(false);
  const details = useMemo(
    () => new Map((files.data?.layers ?? []).map((layer): [number, LayerDetail] => [layer.historyIndex, layer])),
    [files.data],
  );
  if (query.isPending) return <Skeleton className="h-48" />;
  if (query.isError)
    return <ErrorState title={t("historyFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  // A layer that only removes has no bytes of its own, and the history alone cannot tell it from an instruction without layer.
  const all = layerRows(query.data).map((row) => ({ ...row, isEmpty: row.isEmpty && !details.has(row.historyIndex) }));
  const order = oneOf(url.get("layers"), ORDERS);
  const rows = order === "size" ? all.filter((row) => !row.isEmpty).sort((a, b) => b.bytes - a.bytes) : all;
  return (
    <Panel
      title={
        <span className="flex flex-wrap items-baseline gap-x-2">
          {t("layers")}
          <span className="tnum font-normal text-muted">{all.filter((row) => !row.isEmpty).length}</span>
          <WastedTotal total={files.data} isPending={files.isPending} isExplained={isExplained} onExplain={setExplained} />
        </span>
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
      {isExplained && files.data !== undefined ? (
        <p id="wasted-why" className="border-b bg-warn-soft px-4 py-2 text-sm text-pretty text-warn">
          {t("wastedWhy", { percent: formatPercent(shareOf(files.data.wastedBytes, files.data.sizeBytes)) })}
        </p>
      ) : null}
      <div aria-hidden className={cn(LAYER_GRID, "border-b py-1.5 text-xs text-muted max-sm:hidden")}>
        <span className="col-start-2">{t("instruction")}</span>
        <span className="text-right">{t("files.title")}</span>
        <span className="text-right">{t("files.hides")}</span>
        <span className="max-lg:hidden" />
        <span className="text-right">{t("size")}</span>
      </div>
      <ol>
        {rows.map((row) => (
          <LayerItem key={row.historyIndex} row={row} detail={details.get(row.historyIndex)} isReading={files.isPending} />
        ))}
      </ol>
      {files.isError ? (
        <div className="border-t p-3">
          <ErrorState title={t("filesFailed")} message={errorMessage(files.error)} onRetry={() => void files.refetch()} />
        </div>
      ) : null}
    </Panel>
  );
}

type WastedTotalProps = {
  total: { sizeBytes: number; wastedBytes: number } | undefined;
  isPending: boolean;
  isExplained: boolean;
  onExplain: (isExplained: boolean) => void;
};

/** How much of the image nobody can ever see; a button that says why and what to do. */
function WastedTotal({ total, isPending, isExplained, onExplain }: WastedTotalProps): ReactNode {
  const t = useTranslations("image");
  if (isPending) return <Skeleton className="inline-block h-3 w-24" />;
  if (total === undefined) return null;
  if (total.wastedBytes === 0) return <span className="text-xs font-normal text-muted">{t("nothingWasted")}</span>;
  return (
    <button
      type="button"
      aria-expanded={isExplained}
      aria-controls="wasted-why"
      onClick={() => onExplain(!isExplained)}
      className="tnum rounded-sm text-xs font-normal text-warn underline decoration-dotted underline-offset-2 hover:decoration-solid"
    >
      {t("wasted", { size: formatBytes(total.wastedBytes) })}
    </button>
  );
}
