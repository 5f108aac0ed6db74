"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { HostSelect, useOnlineHosts } from "@/components/hosts/host-select.tsx";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { useTRPC } from "@/trpc/client.ts";

export function CreateVolumeDialog({ host: givenHost, onClose }: { host: string; onClose: () => void }): ReactNode {
  const t = useTranslations("volumes.create");
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
    <FormDialog
      title={t("title")}
      onClose={onClose}
      action={t("action")}
      isReady={name.trim() !== "" && host !== ""}
      onSubmit={() => create.mutate({ host, name: name.trim() })}
      work={create}
    >
      <Field label={t("name")} hint={t("nameHint")}>
        {(ids) => <Input {...ids} autoFocus value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label={t("host")}>{(ids) => <HostSelect {...ids} value={host} onChange={setHost} />}</Field>
    </FormDialog>
  );
}
