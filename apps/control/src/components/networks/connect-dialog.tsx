"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plug } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { containerKey, containerName } from "@/lib/container-row.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** With `host` only that host's containers can come. */
export function ConnectButton(props: { network: string; host?: string }): ReactNode {
  const t = useTranslations("network.connect");
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Plug />
        {t("action")}
      </Button>
      {isOpen ? <ConnectDialog {...props} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function ConnectDialog({ network, host, onClose }: { network: string; host?: string; onClose: () => void }): ReactNode {
  const t = useTranslations("network.connect");
  const common = useTranslations("common");
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
    <Dialog isOpen onOpenChange={onClose} title={t("title", { network })}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (container !== undefined)
            connect.mutate({ host: container.host.name, network, container: container.Id, address: address.trim() });
        }}
      >
        <Field label={t("container")} error={connect.error === null ? undefined : errorMessage(connect.error)}>
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
        <DialogActions>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" variant="primary" disabled={container === undefined} isPending={connect.isPending}>
            {t("action")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
