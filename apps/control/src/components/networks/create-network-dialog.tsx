"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useOnlineHosts } from "@/components/hosts/host-select.tsx";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect, Textarea } from "@/components/ui/input.tsx";
import { checkNetworkForm, EMPTY_NETWORK, type NetworkForm, toNewNetwork } from "@/lib/network-row.ts";
import { notify } from "@/lib/notify.ts";
import { useTRPC } from "@/trpc/client.ts";

export function CreateNetworkDialog({ onClose }: { onClose: () => void }): ReactNode {
  const t = useTranslations("networks.create");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [form, setForm] = useState(EMPTY_NETWORK);
  const errors = checkNetworkForm(form);
  const create = useMutation(
    trpc.networks.create.mutationOptions({
      onSuccess: async ({ warnings }) => {
        for (const warning of warnings) notify("warning", t("warning"), { description: warning });
        await queryClient.invalidateQueries({ queryKey: trpc.networks.pathKey() });
        onClose();
      },
    }),
  );
  const isReady = form.name.trim() !== "" && Object.keys(errors).length === 0;
  return (
    <FormDialog
      title={t("title")}
      onClose={onClose}
      action={t("action")}
      isReady={isReady}
      onSubmit={() => create.mutate(toNewNetwork(form))}
      work={create}
    >
      <MainFields form={form} onChange={setForm} />
      <Options form={form} onChange={setForm} />
    </FormDialog>
  );
}

type FieldsProps = { form: NetworkForm; onChange: (form: NetworkForm) => void };

function MainFields({ form, onChange }: FieldsProps): ReactNode {
  const t = useTranslations("networks.create");
  const hosts = useOnlineHosts();
  return (
    <>
      <TextField id="name" form={form} onChange={onChange} hint={t("nameHint")} isFirst />
      <Field label={t("reach")} hint={form.host === "" ? t("reachAllHint") : t("reachOneHint")}>
        {(ids) => (
          <NativeSelect {...ids} value={form.host} onChange={(event) => onChange({ ...form, host: event.target.value })}>
            <option value="">{t("reachAll")}</option>
            {hosts.map(({ id, name }) => (
              <option key={id} value={name}>
                {t("reachOne", { host: name })}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField id="subnet" form={form} onChange={onChange} hint={t("subnetHint")} placeholder="10.64.0.0/20" />
        <TextField id="gateway" form={form} onChange={onChange} hint={t("gatewayHint")} placeholder="10.64.0.1" />
      </div>
    </>
  );
}

function Options({ form, onChange }: FieldsProps): ReactNode {
  const t = useTranslations("networks.create");
  const errors = checkNetworkForm(form);
  return (
    <>
      <TextField id="mtu" form={form} onChange={onChange} hint={t("mtuHint")} placeholder="1450" />
      <Field label={t("labels")} hint={t("labelsHint")} error={errors.labels === undefined ? undefined : t("errors.labels")}>
        {(ids) => (
          <Textarea
            {...ids}
            rows={2}
            className="font-mono text-xs"
            value={form.labels}
            onChange={(event) => onChange({ ...form, labels: event.target.value })}
          />
        )}
      </Field>
      <CheckField
        label={t("internal")}
        hint={t("internalHint")}
        checked={form.isInternal}
        onChange={(event) => onChange({ ...form, isInternal: event.target.checked })}
      />
      {form.host === "" ? (
        <CheckField
          label={t("ipv6")}
          hint={t("ipv6Hint")}
          checked={form.hasIpv6}
          onChange={(event) => onChange({ ...form, hasIpv6: event.target.checked })}
        />
      ) : null}
    </>
  );
}

type TextFieldProps = FieldsProps & { id: "name" | "subnet" | "gateway" | "mtu"; hint: string; placeholder?: string; isFirst?: boolean };

function TextField({ id, form, onChange, hint, placeholder, isFirst = false }: TextFieldProps): ReactNode {
  const t = useTranslations("networks.create");
  const error = checkNetworkForm(form)[id];
  return (
    <Field label={t(id)} hint={hint} error={error === undefined ? undefined : t(`errors.${error}`)}>
      {(ids) => (
        <Input
          {...ids}
          autoFocus={isFirst}
          autoComplete="off"
          placeholder={placeholder}
          value={form[id]}
          onChange={(event) => onChange({ ...form, [id]: event.target.value })}
        />
      )}
    </Field>
  );
}
