"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { ShownOnce } from "@/components/form/shown-once.tsx";
import { RightsPicker } from "@/components/settings/rights-picker.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { useMe } from "@/components/use-me.ts";
import { curlLine, dockerLines, EMPTY_TOKEN, EXPIRY_DAYS, type NewToken, readTokenForm, type TokenForm } from "@/lib/token-form.ts";
import { useTRPC } from "@/trpc/client.ts";

export type TokenDialogProps = {
  title: string;
  /** As whom it acts. */
  description: string;
  make: (token: NewToken) => Promise<{ token: string }>;
  onClose: () => void;
};

/** Makes an API token of the reader or of a service account: what it may, where, for how long; then shows it, once. */
export function TokenDialog({ title, description, make, onClose }: TokenDialogProps): ReactNode {
  const t = useTranslations("settings.tokens");
  const [form, setForm] = useState<TokenForm>(EMPTY_TOKEN);
  const wanted = readTokenForm(form);
  const create = useMutation({ mutationFn: make });
  if (create.data !== undefined) return <MadeToken name={form.name.trim()} token={create.data.token} form={form} onClose={onClose} />;
  return (
    <FormDialog
      title={title}
      description={description}
      placement="side"
      onClose={onClose}
      action={t("createAction")}
      isReady={wanted !== undefined}
      onSubmit={() => {
        if (wanted !== undefined) create.mutate(wanted);
      }}
      work={create}
    >
      <TokenFields form={form} onChange={setForm} />
    </FormDialog>
  );
}

type FieldsProps = { form: TokenForm; onChange: (form: TokenForm) => void };

function TokenFields({ form, onChange }: FieldsProps): ReactNode {
  const t = useTranslations("settings.tokens");
  const me = useMe();
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-[minmax(0,1fr)_9rem]">
        <Field label={t("name")} hint={t("teamHint", { team: me?.team.name ?? "" })}>
          {(ids) => (
            <Input
              {...ids}
              autoFocus
              value={form.name}
              onChange={(event) => onChange({ ...form, name: event.target.value })}
              placeholder={t("namePlaceholder")}
            />
          )}
        </Field>
        <Field label={t("validFor")}>
          {(ids) => (
            <NativeSelect {...ids} value={form.days} onChange={(event) => onChange({ ...form, days: event.target.value })}>
              {EXPIRY_DAYS.map((days) => (
                <option key={days} value={days}>
                  {t("days", { days })}
                </option>
              ))}
              <option value="">{t("noExpiry")}</option>
            </NativeSelect>
          )}
        </Field>
      </div>
      <HostChoice form={form} onChange={onChange} />
      <fieldset className="space-y-3">
        <legend className="mb-1.5 text-sm font-medium">{t("rights")}</legend>
        <Segmented
          label={t("rights")}
          value={form.hasAllRights ? "all" : "some"}
          onChange={(choice) => onChange({ ...form, hasAllRights: choice === "all" })}
          items={[
            { id: "all", label: t("choices.allRights") },
            { id: "some", label: t("choices.some") },
          ]}
        />
        {form.hasAllRights ? (
          <p className="text-xs text-muted">{t("allRightsHint")}</p>
        ) : (
          <RightsPicker rights={me?.rights ?? []} chosen={form.rights} onChange={(rights) => onChange({ ...form, rights })} />
        )}
      </fieldset>
    </>
  );
}

function HostChoice({ form, onChange }: FieldsProps): ReactNode {
  const t = useTranslations("settings.tokens");
  const trpc = useTRPC();
  const hosts = useQuery(trpc.hosts.list.queryOptions()).data ?? [];
  const toggle = (id: string, isOn: boolean): void =>
    onChange({ ...form, hosts: isOn ? [...form.hosts, id] : form.hosts.filter((known) => known !== id) });
  return (
    <fieldset className="space-y-3">
      <legend className="mb-1.5 text-sm font-medium">{t("hosts")}</legend>
      <Segmented
        label={t("hosts")}
        value={form.hasAllHosts ? "all" : "some"}
        onChange={(choice) => onChange({ ...form, hasAllHosts: choice === "all" })}
        items={[
          { id: "all", label: t("choices.allHosts") },
          { id: "some", label: t("choices.some") },
        ]}
      />
      {form.hasAllHosts ? null : (
        <>
          <div className="grid max-h-40 gap-1.5 overflow-y-auto sm:grid-cols-2">
            {hosts.map(({ id, name }) => (
              <CheckField key={id} label={name} checked={form.hosts.includes(id)} onChange={(event) => toggle(id, event.target.checked)} />
            ))}
          </div>
          <p className="text-xs text-muted">{t("someHostsHint")}</p>
        </>
      )}
    </fieldset>
  );
}

function MadeToken({ name, token, form, onClose }: { name: string; token: string; form: TokenForm; onClose: () => void }): ReactNode {
  const t = useTranslations("settings.tokens");
  const trpc = useTRPC();
  const hosts = useQuery(trpc.hosts.list.queryOptions()).data ?? [];
  const host = hosts.find(({ id }) => form.hasAllHosts || form.hosts.includes(id))?.name ?? "HOST";
  const place = { origin: window.location.origin, host };
  return (
    <Dialog isOpen onOpenChange={onClose} placement="side" title={t("madeTitle", { name })}>
      <ShownOnce
        note={t("once")}
        secret={token}
        uses={[
          { label: t("withCurl"), text: curlLine(place, token) },
          { label: t("withDocker", { host }), text: dockerLines(place, token) },
        ]}
      />
      <DialogActions>
        <Button variant="primary" onClick={onClose}>
          {t("done")}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
