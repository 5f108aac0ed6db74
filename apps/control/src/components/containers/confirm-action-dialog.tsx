"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import type { ContainerAction } from "@/lib/container-state.ts";

export type ConfirmActionProps = { name: string; action: ContainerAction; onClose: () => void; onConfirm: () => void };

/** Says what an interrupting action does to the program before it is done. */
export function ConfirmActionDialog({ name, action, onClose, onConfirm }: ConfirmActionProps): ReactNode {
  const t = useTranslations("actions");
  const confirm = useTranslations("container.confirm");
  const kind = action === "stop" || action === "restart" || action === "kill" ? action : "stop";
  return (
    <ConfirmDialog
      isOpen
      onOpenChange={onClose}
      title={confirm("title", { action: t(action), name })}
      body={<p>{confirm(kind)}</p>}
      confirmLabel={t(action)}
      isPending={false}
      onConfirm={() => {
        onConfirm();
        onClose();
      }}
    />
  );
}
