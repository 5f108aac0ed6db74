"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plug } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { containerKey, containerName } from "@/lib/container-row.ts";
import { useTRPC } from "@/trpc/client.ts";

/** With `host` only that host's containers can come. */
export function ConnectButton(props: { network: string; host?: string }): ReactNode {
  const t = useTranslations("network.connect");
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <May right="network.change" host={props.host}>
        <Button onClick={() => setOpen(true)}>
          <Plug />
          {t("action")}
        </Button>
      </May>
      {isOpen ? <ConnectDialog {...props} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function ConnectDialog({ network, host, onClose }: { network: string; host?: string; onClose: () => void }): ReactNode {
  const t = useTranslations("network.connect");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const { data } = useQuery(trpc.containers.list.queryOptions(host === undefined ? {} : { host }));
  const [chosen, setChosen] = useState("");
  const [address, setAddress] = useState("");
  const container = data?.items.find((row) => containerKey(row) === chosen);
  const connect = useMutation(
    trpc.networks.connect.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries({ queryKey: trpc.networks.pathKey() });
        onClose();
      },
    }),
  );
  return (
    <FormDialog
      title={t("title", { network })}
      onClose={onClose}
      action={t("action")}
      isReady={container !== undefined}
      onSubmit={() => {
        if (container !== undefined)
          connect.mutate({ host: container.host.name, network, container: container.Id, address: address.trim() });
      }}
      work={connect}
    >
      <Field label={t("container")}>
        {(ids) => (
          <NativeSelect {...ids} value={chosen} onChange={(event) => setChosen(event.target.value)}>
            <option value="">{t("choose")}</option>
            {data?.items.map((row) => (
              <option key={containerKey(row)} value={containerKey(row)}>
                {`${containerName(row)} (${row.host.name})`}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Field label={t("address")} hint={t("addressHint")}>
        {(ids) => <Input {...ids} autoComplete="off" value={address} onChange={(event) => setAddress(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}
