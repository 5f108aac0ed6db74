"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { ContainerActions } from "@/components/containers/use-container-actions.ts";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { containerName, type ContainerSummary, eligible } from "@/lib/container-row.ts";

export type RemoveContainersProps = {
  rows: readonly ContainerSummary[];
  remove: ContainerActions["remove"];
  onClose: (wasRemoved: boolean) => void;
};

const NAMED = 5;

/** Asks before containers are removed, and says what goes with them. */
export function RemoveContainersDialog({ rows, remove, onClose }: RemoveContainersProps): ReactNode {
  const t = useTranslations("containers.remove");
  const common = useTranslations("common");
  const [volumes, setVolumes] = useState(false);
  const [isPending, setPending] = useState(false);
  const running = eligible(rows, "stop");
  const confirm = async (): Promise<void> => {
    setPending(true);
    const isDone = await remove(rows, { force: running.length > 0, volumes });
    setPending(false);
    onClose(isDone);
  };
  return (
    <ConfirmDialog
      isOpen={rows.length > 0}
      onOpenChange={(isOpen) => {
        if (!isOpen && !isPending) onClose(false);
      }}
      title={
        rows.length === 1 && rows[0] !== undefined
          ? t("titleOne", { name: containerName(rows[0]) })
          : t("titleMany", { count: rows.length })
      }
      confirmLabel={t("confirm", { count: rows.length })}
      isPending={isPending}
      onConfirm={() => void confirm()}
      body={
        <>
          <p>{t("body")}</p>
          {running.length > 0 ? (
            <p className="text-bad">
              {t("running", { count: running.length, names: running.slice(0, NAMED).map(containerName).join(", ") })}
              {running.length > NAMED ? ` ${common("andMore", { count: running.length - NAMED })}` : null}
            </p>
          ) : null}
          <CheckField
            label={t("volumes")}
            hint={t("volumesHint")}
            checked={volumes}
            onChange={(event) => setVolumes(event.target.checked)}
          />
        </>
      }
    />
  );
}
