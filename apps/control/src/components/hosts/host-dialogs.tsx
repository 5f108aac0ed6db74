"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { HostRow } from "@/trpc/types.ts";

export type HostDialogProps = { host: Pick<HostRow, "id" | "name" | "stats">; onClose: () => void; onDone?: (name: string) => void };

export function RenameHostDialog({ host, onClose, onDone }: HostDialogProps): ReactNode {
  const t = useTranslations("hosts.rename");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [name, setName] = useState(host.name);
  const rename = useMutation(
    trpc.hosts.rename.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries({ queryKey: trpc.hosts.pathKey() });
        onClose();
        onDone?.(name);
      },
    }),
  );
  return (
    <FormDialog
      title={t("title", { name: host.name })}
      onClose={onClose}
      action={t("action")}
      isReady={name.trim() !== "" && name.trim() !== host.name}
      onSubmit={() => rename.mutate({ host: host.id, name: name.trim() })}
      work={rename}
    >
      <Field label={t("label")} hint={t("hint")}>
        {(ids) => <Input {...ids} autoFocus value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}

export function RemoveHostDialog({ host, onClose, onDone }: HostDialogProps): ReactNode {
  const t = useTranslations("hosts.remove");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const remove = useMutation(
    trpc.hosts.remove.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries();
        notify("success", t("done", { name: host.name }));
        onClose();
        onDone?.(host.name);
      },
    }),
  );
  return (
    <ConfirmDialog
      isOpen
      onOpenChange={onClose}
      title={t("title", { name: host.name })}
      typeToConfirm={host.name}
      confirmLabel={t("action")}
      isPending={remove.isPending}
      error={remove.error === null ? undefined : errorMessage(remove.error)}
      onConfirm={() => remove.mutate({ host: host.id })}
      body={
        <>
          <p>{t("body")}</p>
          {host.stats !== null && host.stats.containersRunning > 0 ? (
            <p className="text-bad">{t("running", { count: host.stats.containersRunning })}</p>
          ) : null}
        </>
      }
    />
  );
}
