"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, Textarea } from "@/components/ui/input.tsx";
import { checkFileForm, type FileForm, formContent } from "@/lib/file-content.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { FileRow } from "@/trpc/types.ts";

export type FileKind = "secrets" | "configs";

export type FileDialogProps = {
  kind: FileKind;
  /** Null: a new one. */
  file: FileRow | null;
  taken: readonly string[];
  onClose: () => void;
};

/** Writes a secret or config, or a new version of one. What is there now is not shown: it cannot be read. */
export function FileDialog({ kind, file, taken, onClose }: FileDialogProps): ReactNode {
  const t = useTranslations("files");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const [form, setForm] = useState<FileForm>({ name: file?.name ?? "", text: "", bytes: null });
  const problem = checkFileForm(form, file === null ? taken : []);
  const save = useMutation({
    mutationFn: () => client[kind].set.mutate({ name: form.name, base64: formContent(form) }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: trpc[kind].pathKey() });
      onClose();
    },
  });
  const nameError = form.name !== "" && (problem === "name" || problem === "taken") ? t(`problems.${problem}`) : undefined;
  return (
    <FormDialog
      title={file === null ? t(`${kind}.new`) : t("newVersionOf", { name: file.name })}
      onClose={onClose}
      isReady={problem === null}
      onSubmit={() => save.mutate()}
      work={save}
    >
      {file === null ? (
        <Field label={t("columns.name")} hint={t("nameHint")} error={nameError}>
          {(ids) => <Input {...ids} autoFocus value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value })} />}
        </Field>
      ) : file.usedBy.length === 0 ? null : (
        <p className="text-sm text-muted">
          {t("rolls", { services: file.usedBy.map((user) => `${user.stack}/${user.service}`).join(", ") })}
        </p>
      )}
      <ContentFields form={form} onChange={setForm} />
      {problem === "large" ? <p className="text-sm text-bad">{t("problems.large")}</p> : null}
    </FormDialog>
  );
}

function ContentFields({ form, onChange }: { form: FileForm; onChange: (form: FileForm) => void }): ReactNode {
  const t = useTranslations("files");
  return (
    <>
      <Field label={t("content")} hint={t("contentHint")}>
        {(ids) => (
          <Textarea
            {...ids}
            rows={6}
            className="font-mono text-xs"
            disabled={form.bytes !== null}
            value={form.text}
            onChange={(event) => onChange({ ...form, text: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("fromFile")}>
        {(ids) => (
          <input
            {...ids}
            type="file"
            className="w-full min-w-0 text-sm text-muted file:mr-3 file:h-8 file:rounded-md file:border file:border-line-strong file:bg-panel file:px-3 file:text-sm file:text-ink"
            onChange={(event) => {
              const chosen = event.target.files?.[0];
              if (chosen === undefined) onChange({ ...form, bytes: null });
              else void chosen.arrayBuffer().then((buffer) => onChange({ ...form, bytes: new Uint8Array(buffer) }));
            }}
          />
        )}
      </Field>
    </>
  );
}
