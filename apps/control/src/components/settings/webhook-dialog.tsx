"use client";

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { useMe } from "@/components/use-me.ts";
import {
  readWebhookForm,
  toWebhookForm,
  WEBHOOK_EVENTS,
  type WebhookEvent,
  type WebhookForm,
  type WebhookRow,
} from "@/lib/webhook-form.ts";
import { useTRPCClient } from "@/trpc/client.ts";

export type WebhookDialogProps = {
  /** Null: a new one, whose secret `onSaved` gets. */
  webhook: WebhookRow | null;
  onClose: () => void;
  onSaved: (made: { name: string; secret: string } | null) => Promise<void>;
};

/** Makes or changes a webhook. */
export function WebhookDialog({ webhook, onClose, onSaved }: WebhookDialogProps): ReactNode {
  const t = useTranslations("settings.webhooks");
  const client = useTRPCClient();
  const [form, setForm] = useState<WebhookForm>(() => toWebhookForm(webhook));
  const read = readWebhookForm(form);
  const save = useMutation({
    mutationFn: async () => {
      if (!("input" in read)) return;
      const { name } = read.input;
      if (webhook !== null) await client.webhooks.update.mutate({ id: webhook.id, ...read.input });
      const made = webhook === null ? { name, secret: (await client.webhooks.create.mutate(read.input)).secret } : null;
      await onSaved(made);
    },
    onSuccess: onClose,
  });
  return (
    <FormDialog
      title={webhook === null ? t("create") : t("editTitle", { name: webhook.name })}
      description={t("body")}
      placement="side"
      onClose={onClose}
      isReady={"input" in read}
      onSubmit={() => save.mutate()}
      work={save}
    >
      <WebhookFields form={form} wrong={"wrong" in read ? read.wrong : null} onChange={setForm} />
    </FormDialog>
  );
}

type FieldsProps = { form: WebhookForm; wrong: "name" | "url" | "events" | null; onChange: (form: WebhookForm) => void };

function WebhookFields({ form, wrong, onChange }: FieldsProps): ReactNode {
  const t = useTranslations("settings.webhooks");
  const isInstanceAdmin = useMe()?.user.isInstanceAdmin === true;
  const toggle = (event: WebhookEvent, isOn: boolean): void =>
    onChange({ ...form, events: isOn ? [...form.events, event] : form.events.filter((known) => known !== event) });
  return (
    <>
      <Field label={t("name")}>
        {(ids) => <Input {...ids} autoFocus value={form.name} onChange={(event) => onChange({ ...form, name: event.target.value })} />}
      </Field>
      <Field label={t("url")} hint={t("urlHint")} error={wrong === "url" && form.url !== "https://" ? t("urlWrong") : undefined}>
        {(ids) => (
          <Input
            {...ids}
            type="url"
            className="font-mono text-xs"
            value={form.url}
            onChange={(event) => onChange({ ...form, url: event.target.value })}
          />
        )}
      </Field>
      <fieldset className="space-y-2">
        <legend className="mb-2 text-sm font-medium">{t("events")}</legend>
        {WEBHOOK_EVENTS.map((event) => (
          <CheckField
            key={event}
            label={<code className="font-mono text-xs">{event}</code>}
            hint={t(`about.${keyOf(event)}`)}
            checked={form.events.includes(event)}
            onChange={(change) => toggle(event, change.target.checked)}
          />
        ))}
      </fieldset>
      <Field label={t("others")} hint={t("othersHint")} error={wrong === "events" ? t("eventsWrong") : undefined}>
        {(ids) => (
          <Input
            {...ids}
            className="font-mono text-xs"
            value={form.others}
            onChange={(event) => onChange({ ...form, others: event.target.value })}
          />
        )}
      </Field>
      {isInstanceAdmin ? (
        <CheckField
          label={t("allowsPrivate")}
          hint={t("allowsPrivateHint")}
          checked={form.allowsPrivate}
          onChange={(event) => onChange({ ...form, allowsPrivate: event.target.checked })}
        />
      ) : null}
    </>
  );
}

/** The name of an event's sentence in the catalogue of texts, whose names hold no dots. */
function keyOf(event: WebhookEvent) {
  const names = {
    "deployment.finished": "deploymentFinished",
    "deployment.failed": "deploymentFailed",
    "host.down": "hostDown",
    "host.up": "hostUp",
    "container.died": "containerDied",
    "audit.*": "audit",
  } as const;
  return names[event];
}
