"use client";

import { Plus, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";

export type RowsFieldProps = {
  label: string;
  hint?: string;
  addLabel: string;
  rows: readonly { id: string }[];
  onAdd: () => void;
  onRemove: (index: number) => void;
  children: (index: number) => ReactNode;
};

/** A list of rows that grows and shrinks: ports, variables, mounts. */
export function RowsField({ label, hint, addLabel, rows, onAdd, onRemove, children }: RowsFieldProps): ReactNode {
  const t = useTranslations("common");
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 text-sm font-medium">{label}</legend>
      {hint === undefined ? null : <p className="-mt-1 mb-2 text-xs text-muted">{hint}</p>}
      <div className="space-y-2">
        {rows.map((row, index) => (
          <div key={row.id} className="flex items-start gap-2">
            <div className="min-w-0 flex-1">{children(index)}</div>
            <Button variant="ghost" size="icon" aria-label={t("removeRow")} onClick={() => onRemove(index)}>
              <X />
            </Button>
          </div>
        ))}
        <Button size="sm" onClick={onAdd}>
          <Plus />
          {addLabel}
        </Button>
      </div>
    </fieldset>
  );
}
