"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { HostSelect, useOnlineHosts } from "@/components/hosts/host-select.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

export function CreateVolumeDialog({ host: givenHost, onClose }: { host: string; onClose: () => void }): ReactNode {
  const t = useTranslations("volumes.create");
  const common = useTranslations("common");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const hosts = useOnlineHosts();
  const [chosenHost, setHost] = useState(givenHost);
  const [name, setName] = useState("");
  const host = chosenHost === "" ? (hosts[0]?.name ?? "") : chosenHost;
  const create = useMutation(
    trpc.volumes.create.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries({ queryKey: trpc.volumes.pathKey() });
        onClose();
      },
    }),
  );
  return (
    <Dialog isOpen onOpenChange={onClose} title={t("title")}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ host, name: name.trim() });
        }}
      >
        <Field label={t("name")} hint={t("nameHint")} error={create.error === null ? undefined : errorMessage(create.error)}>
          {(ids) => <Input {...ids} autoFocus value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label={t("host")}>{(ids) => <HostSelect {...ids} value={host} onChange={setHost} />}</Field>
        <DialogActions>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" variant="primary" disabled={name.trim() === "" || host === ""} isPending={create.isPending}>
            {t("action")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
