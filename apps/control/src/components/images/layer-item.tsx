"use client";

import { ChevronRight } from "lucide-react";
import { type MouseEvent, type ReactNode, useId, useState } from "react";
import { useTranslations } from "use-intl";
import { LayerFiles } from "@/components/images/layer-files.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { cn } from "@/lib/cn.ts";
import { formatBytes } from "@/lib/format.ts";
import type { LayerRow } from "@/lib/image-row.ts";
import { KIND_COLOR, KIND_SIGN } from "@/lib/layer-files.ts";
import type { LayerDetail } from "@/trpc/types.ts";

/** Columns of the list of layers, its head and its rows: chevron, instruction, files, wasted, share, size. */
export const LAYER_GRID =
  "grid grid-cols-[1.25rem_minmax(0,1fr)] gap-x-3 gap-y-1 pr-4 pl-3 sm:grid-cols-[1.25rem_minmax(0,1fr)_9rem_5rem_5rem] lg:grid-cols-[1.25rem_minmax(0,1fr)_9rem_5rem_7rem_5rem]";

const KINDS = ["added", "changed", "removed"] as const;

export type LayerItemProps = { row: LayerRow; detail: LayerDetail | undefined; isReading: boolean };

/** One line of an image's history. One that made a layer opens to the files that it changes. */
export function LayerItem({ row, detail, isReading }: LayerItemProps): ReactNode {
  const t = useTranslations("image");
  const [isOpen, setOpen] = useState(false);
  const filesId = useId();
  const instruction = row.instruction || t("unknown");
  const toggle = (event: MouseEvent): void => {
    if (detail === undefined || window.getSelection()?.toString() !== "") return;
    if (event.target instanceof Element && event.target.closest("button") !== null) return;
    setOpen(!isOpen);
  };
  return (
    <li className="border-b last:border-b-0">
      <div className={cn(LAYER_GRID, "py-2 sm:items-start", detail !== undefined && "cursor-pointer hover:bg-hover")} onClick={toggle}>
        {detail === undefined ? (
          <span />
        ) : (
          <button
            type="button"
            aria-expanded={isOpen}
            aria-controls={filesId}
            aria-label={t("filesOf", { instruction: instruction.slice(0, 80) })}
            onClick={() => setOpen(!isOpen)}
            className="grid size-5 place-items-center rounded-sm text-muted hover:bg-active hover:text-ink"
          >
            <ChevronRight aria-hidden className={cn("size-4 transition-transform", isOpen && "rotate-90")} />
          </button>
        )}
        <code
          className={cn(
            "font-mono text-xs leading-5 break-all whitespace-pre-wrap",
            row.isEmpty && "text-muted",
            !isOpen && "line-clamp-3",
          )}
        >
          {instruction}
        </code>
        <span
          className={cn(
            "tnum col-start-2 flex flex-wrap items-baseline gap-x-3 text-xs leading-5 text-muted sm:contents",
            row.isEmpty && "max-sm:hidden",
          )}
        >
          <Figures detail={detail} isReading={isReading && !row.isEmpty} />
          <span className="h-5 py-1.75 max-lg:hidden" aria-hidden>
            {row.isEmpty ? null : (
              <span className="block h-1.5 overflow-hidden rounded-full bg-active">
                <span className="block h-full rounded-full bg-muted/70" style={{ width: `${Math.max(1, row.sharePercent)}%` }} />
              </span>
            )}
          </span>
          <span className="ml-auto leading-5 sm:text-right">{row.isEmpty ? t("noSize") : formatBytes(row.bytes)}</span>
        </span>
      </div>
      <div id={filesId} hidden={!isOpen}>
        {isOpen && detail !== undefined ? <LayerFiles layer={detail} /> : null}
      </div>
    </li>
  );
}

/** How many files of each kind, and what is wasted. */
function Figures({ detail, isReading }: { detail: LayerDetail | undefined; isReading: boolean }): ReactNode {
  const t = useTranslations("image");
  if (detail === undefined) {
    return (
      <>
        <span className="leading-5 sm:text-right">{isReading ? <Skeleton className="inline-block h-3 w-20 align-middle" /> : null}</span>
        <span className="max-sm:hidden" />
      </>
    );
  }
  const kinds = KINDS.filter((kind) => detail[kind].files > 0);
  return (
    <>
      <span className="flex gap-x-2 leading-5 sm:justify-end">
        {kinds.map((kind) => (
          <span
            key={kind}
            title={`${t(`files.${kind}`)}: ${t("files.counts", { count: detail[kind].files, size: formatBytes(detail[kind].bytes) })}`}
          >
            <span className="sr-only">{t(`files.${kind}`)} </span>
            <span aria-hidden className={KIND_COLOR[kind]}>
              {KIND_SIGN[kind]}
            </span>
            {detail[kind].files}
          </span>
        ))}
      </span>
      <span className="leading-5 text-warn sm:text-right">
        {detail.wastedBytes === 0 ? null : (
          <>
            <span className="sm:sr-only">{t("files.hides")} </span>
            {formatBytes(detail.wastedBytes)}
          </>
        )}
      </span>
    </>
  );
}
