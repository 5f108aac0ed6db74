"use client";

import { Play, RotateCw, Square, Trash2, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useMay } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { eligible } from "@/lib/container-row.ts";
import type { ContainerAction } from "@/lib/container-state.ts";
import type { ContainerRow } from "@/trpc/types.ts";

export type BulkBarProps = {
  rows: readonly ContainerRow[];
  onAction: (rows: readonly ContainerRow[], action: ContainerAction) => void;
  onRemove: (rows: readonly ContainerRow[]) => void;
  onClear: () => void;
};

const ACTIONS = [
  ["start", Play],
  ["stop", Square],
  ["restart", RotateCw],
] as const;

/** What can be done to the selected rows; floats over the end of the page while there are some. */
export function BulkBar({ rows, onAction, onRemove, onClear }: BulkBarProps): ReactNode {
  const t = useTranslations("actions");
  const may = useMay();
  const removable = rows.filter(({ host }) => may("container.remove", host.id));
  if (rows.length === 0) return null;
  return (
    <div
      role="toolbar"
      aria-label={t("bulk")}
      className="anim-pop sticky bottom-4 z-20 mx-auto flex w-fit max-w-full flex-wrap items-center gap-1 rounded-lg border border-line-strong bg-raised p-1.5 shadow-[0_8px_28px_rgb(0_0_0/0.18)]"
    >
      <span className="tnum px-2 text-sm">{t("selected", { count: rows.length })}</span>
      {ACTIONS.map(([action, Icon]) => {
        const targets = eligible(rows, action).filter(({ host }) => may("container.control", host.id));
        return (
          <Button key={action} variant="ghost" disabled={targets.length === 0} onClick={() => onAction(targets, action)}>
            <Icon />
            <span className="max-sm:sr-only">{t(action)}</span>
          </Button>
        );
      })}
      <Button variant="ghost" className="text-bad hover:text-bad" disabled={removable.length === 0} onClick={() => onRemove(removable)}>
        <Trash2 />
        <span className="max-sm:sr-only">{t("remove")}</span>
      </Button>
      <Button variant="ghost" size="icon" aria-label={t("clear")} onClick={onClear}>
        <X />
      </Button>
    </div>
  );
}
