"use client";

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, Textarea } from "@/components/ui/input.tsx";
import { useTRPC } from "@/trpc/client.ts";

const EMPTY = { name: "", url: "", username: "", password: "", tokenServer: "", ca: "", allowsPrivate: false };
type Form = typeof EMPTY;

/** Adds an upstream. What the control plane says of the input is shown below the form. */
export function UpstreamDialog({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<void> }): ReactNode {
  const t = useTranslations("registry.upstreams");
  const trpc = useTRPC();
  const [form, setForm] = useState<Form>({ ...EMPTY, name: "hub", url: "https://registry-1.docker.io" });
  const create = useMutation(
    trpc.registry.upstreams.create.mutationOptions({
      onSuccess: async () => {
        await onDone();
        onClose();
      },
    }),
  );
  const set = (change: Partial<Form>): void => setForm({ ...form, ...change });
  const isGood = form.name.trim() !== "" && form.url.trim() !== "" && (form.username === "") === (form.password === "");
  return (
    <FormDialog
      title={t("addTitle")}
      description={t("addBody")}
      className="max-w-lg"
      onClose={onClose}
      action={t("add")}
      isReady={isGood}
      onSubmit={() => create.mutate(toInput(form))}
      work={create}
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t("name")} hint={t("nameHint")}>
          {(ids) => <Input {...ids} autoFocus value={form.name} onChange={(event) => set({ name: event.target.value })} />}
        </Field>
        <Field label={t("url")}>
          {(ids) => <Input {...ids} value={form.url} onChange={(event) => set({ url: event.target.value })} />}
        </Field>
        <Field label={t("username")}>
          {(ids) => <Input {...ids} autoComplete="off" value={form.username} onChange={(event) => set({ username: event.target.value })} />}
        </Field>
        <Field label={t("password")} hint={t("passwordHint")}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="off"
              value={form.password}
              onChange={(event) => set({ password: event.target.value })}
            />
          )}
        </Field>
      </div>
      <CheckField
        label={t("allowsPrivate")}
        hint={t("allowsPrivateHint")}
        checked={form.allowsPrivate}
        onChange={(event) => set({ allowsPrivate: event.target.checked })}
      />
      <More form={form} onChange={set} />
    </FormDialog>
  );
}

/** What few upstreams need, folded away. */
function More({ form, onChange }: { form: Form; onChange: (change: Partial<Form>) => void }): ReactNode {
  const t = useTranslations("registry.upstreams");
  return (
    <details className="rounded-lg border">
      <summary className="px-3 py-2 text-sm text-muted hover:text-ink">{t("more")}</summary>
      <div className="space-y-3 border-t p-3">
        <Field label={t("tokenServer")} hint={t("tokenServerHint")}>
          {(ids) => <Input {...ids} value={form.tokenServer} onChange={(event) => onChange({ tokenServer: event.target.value })} />}
        </Field>
        <Field label={t("ca")} hint={t("caHint")}>
          {(ids) => <Textarea {...ids} rows={4} value={form.ca} onChange={(event) => onChange({ ca: event.target.value })} />}
        </Field>
      </div>
    </details>
  );
}

type NewUpstream = {
  name: string;
  url: string;
  allowsPrivate: boolean;
  username?: string;
  password?: string;
  tokenServer?: string;
  ca?: string;
};

function toInput({ name, url, username, password, tokenServer, ca, allowsPrivate }: Form): NewUpstream {
  return {
    name: name.trim(),
    url: url.trim(),
    allowsPrivate,
    ...(username === "" ? {} : { username, password }),
    ...(tokenServer.trim() === "" ? {} : { tokenServer: tokenServer.trim() }),
    ...(ca.trim() === "" ? {} : { ca }),
  };
}
