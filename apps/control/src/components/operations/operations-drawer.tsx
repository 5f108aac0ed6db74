"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { OperationView } from "@/components/operations/operation-view.tsx";
import { useOperationActions, useOperations } from "@/components/operations/operations-provider.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog } from "@/components/ui/dialog.tsx";

/** Everything that runs or ran in this tab, newest first; the newest is unfolded. */
export function OperationsDrawer({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }): ReactNode {
  const t = useTranslations("operations");
  const operations = useOperations();
  const { clear } = useOperationActions();
  const [chosen, setChosen] = useState<string | null>(null);
  const newest = operations[0]?.id;
  // A new operation is what somebody wants to see, whatever was unfolded before it.
  const [seenNewest, setSeenNewest] = useState(newest);
  if (seenNewest !== newest) {
    setSeenNewest(newest);
    setChosen(null);
  }
  const unfolded = chosen ?? newest;
  const hasEnded = operations.some((one) => one.state !== "running");
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={t("title")}
      description={t("description")}
      placement="side"
      className="max-w-xl"
    >
      {operations.length === 0 ? (
        <p className="text-sm text-muted">{t("empty")}</p>
      ) : (
        <ul className="space-y-3">
          {operations.map((operation) => (
            <li key={operation.id}>
              <OperationView
                operation={operation}
                isUnfolded={operation.id === unfolded}
                onUnfold={() => setChosen(operation.id === unfolded ? "" : operation.id)}
              />
            </li>
          ))}
        </ul>
      )}
      {hasEnded ? (
        <Button size="sm" className="mt-4" onClick={clear}>
          {t("clear")}
        </Button>
      ) : null}
    </Dialog>
  );
}
