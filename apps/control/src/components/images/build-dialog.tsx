"use client";

import { Plus, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { HostSelect, useOnlineHosts } from "@/components/hosts/host-select.tsx";
import { BuildContextField } from "@/components/images/build-context-field.tsx";
import { useOperationActions } from "@/components/operations/operations-provider.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { type BuildForm, EMPTY_BUILD, type BuildProblem, buildProblem, toBuildRequest } from "@/lib/build-form.ts";

export type BuildDialogProps = { isOpen: boolean; onClose: () => void; host?: string };

/** Builds an image from files of this machine, in the background, with a live log. */
export function BuildDialog({ isOpen, onClose, host }: BuildDialogProps): ReactNode {
  const t = useTranslations("images.build");
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("title")}
      description={t("description")}
      placement="side"
      className="max-w-xl"
    >
      <BuildImageForm onClose={onClose} host={host ?? ""} />
    </Dialog>
  );
}

function BuildImageForm({ onClose, host: givenHost }: { onClose: () => void; host: string }): ReactNode {
  const t = useTranslations("images.build");
  const common = useTranslations("common");
  const online = useOnlineHosts();
  const { build, setOpen } = useOperationActions();
  const [form, setForm] = useState<BuildForm>({ ...EMPTY_BUILD, host: givenHost });
  const [problem, setProblem] = useState<BuildProblem | null>(null);
  const set = (changes: Partial<BuildForm>): void => {
    setForm((before) => ({ ...before, ...changes }));
    setProblem(null);
  };
  const host = form.host === "" ? (online[0]?.name ?? "") : form.host;
  const start = (): void => {
    const found = buildProblem({ ...form, host });
    setProblem(found);
    if (found !== null) return;
    build(toBuildRequest({ ...form, host }));
    onClose();
    setOpen(true);
  };
  const errorOf = (field: BuildProblem["field"]): string | undefined =>
    problem?.field === field ? t(`errors.${problem.code}`) : undefined;
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <BuildContextField form={form} onChange={set} error={errorOf("context")} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("host")}>{(ids) => <HostSelect {...ids} value={host} onChange={(name) => set({ host: name })} />}</Field>
        <Field label={t("tags")} hint={t("tagsHint")} error={errorOf("tags")}>
          {(ids) => <Input {...ids} value={form.tags} placeholder="team/web:1" onChange={(event) => set({ tags: event.target.value })} />}
        </Field>
        {form.source === "text" ? null : (
          <Field label={t("dockerfile")}>
            {(ids) => (
              <Input
                {...ids}
                value={form.dockerfile}
                placeholder="Dockerfile"
                onChange={(event) => set({ dockerfile: event.target.value })}
              />
            )}
          </Field>
        )}
        <Field label={t("target")} hint={t("targetHint")} error={errorOf("target")}>
          {(ids) => <Input {...ids} value={form.target} onChange={(event) => set({ target: event.target.value })} />}
        </Field>
      </div>
      <BuildArgs form={form} onChange={set} error={errorOf("args")} />
      <div className="space-y-2">
        <CheckField label={t("noCache")} checked={form.noCache} onChange={(event) => set({ noCache: event.target.checked })} />
        <CheckField label={t("pull")} checked={form.pull} onChange={(event) => set({ pull: event.target.checked })} />
      </div>
      <DialogActions>
        <Button onClick={onClose}>{common("cancel")}</Button>
        <Button type="submit" variant="primary" disabled={host === ""}>
          {t("action")}
        </Button>
      </DialogActions>
    </form>
  );
}

type PartProps = { form: BuildForm; onChange: (changes: Partial<BuildForm>) => void; error: string | undefined };

function BuildArgs({ form, onChange, error }: PartProps): ReactNode {
  const t = useTranslations("images.build");
  const common = useTranslations("common");
  const change = (index: number, part: Partial<BuildForm["args"][number]>): void =>
    onChange({ args: form.args.map((arg, at) => (at === index ? { ...arg, ...part } : arg)) });
  return (
    <fieldset className="min-w-0 space-y-2">
      <legend className="mb-1.5 text-sm font-medium">{t("args")}</legend>
      {form.args.map((arg, index) => (
        <div key={arg.id} className="grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_2rem] gap-2">
          <Input
            aria-label={t("argName")}
            placeholder="VERSION"
            value={arg.name}
            onChange={(event) => change(index, { name: event.target.value })}
          />
          <Input aria-label={t("argValue")} value={arg.value} onChange={(event) => change(index, { value: event.target.value })} />
          <Button
            variant="ghost"
            size="icon"
            aria-label={common("removeRow")}
            onClick={() => onChange({ args: form.args.filter((_, at) => at !== index) })}
          >
            <X />
          </Button>
        </div>
      ))}
      {error === undefined ? null : (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
      <Button size="sm" onClick={() => onChange({ args: [...form.args, { id: crypto.randomUUID(), name: "", value: "" }] })}>
        <Plus />
        {t("addArg")}
      </Button>
    </fieldset>
  );
}
