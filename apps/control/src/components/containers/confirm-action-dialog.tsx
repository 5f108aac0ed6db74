"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { isInterrupting } from "@/lib/container-state.ts";
import type { ContainerAction } from "@/lib/container-state.ts";

const NAMED = 5;

export type ConfirmActionProps = { names: readonly string[]; action: ContainerAction; onClose: () => void; onConfirm: () => void };

/** Says what an interrupting action does to the programs before it is done. */
export function ConfirmActionDialog({ names, action, onClose, onConfirm }: ConfirmActionProps): ReactNode {
  const t = useTranslations("actions");
  const confirm = useTranslations("container.confirm");
  const common = useTranslations("common");
  const [first = ""] = names;
  return (
    <ConfirmDialog
      isOpen
      onOpenChange={onClose}
      title={
        names.length === 1
          ? confirm("title", { action: t(action), name: first })
          : confirm("titleMany", { action: t(action), count: names.length })
      }
      body={
        <>
          {isInterrupting(action) ? <p>{confirm(action)}</p> : null}
          {names.length === 1 ? null : (
            <p className="break-words text-ink">
              {names.slice(0, NAMED).join(", ")}
              {names.length > NAMED ? ` ${common("andMore", { count: names.length - NAMED })}` : null}
            </p>
          )}
        </>
      }
      confirmLabel={t(action)}
      isPending={false}
      onConfirm={() => {
        onConfirm();
        onClose();
      }}
    />
  );
}
