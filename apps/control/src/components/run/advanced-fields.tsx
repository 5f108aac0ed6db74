"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Cell } from "@/components/run/cell.tsx";
import { SwitchField, TextField } from "@/components/run/form-field.tsx";
import { RowsField } from "@/components/run/rows-field.tsx";
import { Field } from "@/components/ui/field.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import type { RunForm } from "@/lib/run-form.ts";
import { useTRPC } from "@/trpc/client.ts";

/** Limits in sight; what is rarely needed in a section that opens. */
export function AdvancedFields(): ReactNode {
  const t = useTranslations("run");
  return (
    <>
      <Section title={t("limits")}>
        <div className="grid gap-4 sm:grid-cols-3">
          <TextField name="memory" label={t("memory")} placeholder="512m" hint={t("memoryHint")} />
          <TextField name="cpus" label={t("cpus")} placeholder="1.5" hint={t("cpusHint")} />
          <TextField name="pidsLimit" label={t("pids")} placeholder={t("unlimited")} />
        </div>
      </Section>
      <Section title={t("advanced")}>
        <div className="space-y-5">
          <div className="grid gap-4 sm:grid-cols-2">
            <NetworkField />
            <TextField name="hostname" label={t("hostname")} placeholder={t("hostnamePlaceholder")} />
            <TextField name="user" label={t("user")} placeholder={t("asImage")} />
            <TextField name="workingDir" label={t("workingDir")} placeholder={t("asImage")} />
            <TextField name="entrypoint" label={t("entrypoint")} placeholder={t("asImage")} isMono className="sm:col-span-2" />
            <TextField name="capAdd" label={t("capAdd")} placeholder="NET_ADMIN" />
            <TextField name="capDrop" label={t("capDrop")} placeholder="ALL" />
          </div>
          <LabelRows />
          <div className="grid gap-3 sm:grid-cols-2">
            <SwitchField name="tty" label={t("tty")} hint={t("ttyHint")} />
            <SwitchField name="interactive" label={t("interactive")} hint={t("interactiveHint")} />
            <SwitchField name="init" label={t("init")} hint={t("initHint")} />
            <SwitchField name="autoRemove" label={t("autoRemove")} hint={t("autoRemoveHint")} />
            <SwitchField name="readOnly" label={t("readOnly")} hint={t("readOnlyHint")} />
            <SwitchField name="privileged" label={t("privileged")} hint={t("privilegedHint")} />
          </div>
        </div>
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <details className="rounded-lg border bg-panel">
      <summary className="px-4 py-2.5 text-sm font-semibold">{title}</summary>
      <div className="border-t p-4">{children}</div>
    </details>
  );
}

function NetworkField(): ReactNode {
  const t = useTranslations("run");
  const trpc = useTRPC();
  const { control, register } = useFormContext<RunForm>();
  const host = useWatch({ control, name: "host" });
  const chosen = useWatch({ control, name: "network" });
  const { data } = useQuery(trpc.networks.list.queryOptions({ host }, { enabled: host !== "" }));
  const known = [...(data?.items ?? []).map((network) => network.Name), ...(data?.overlays ?? []).map((network) => network.name)];
  const names = [...new Set([...known, ...(chosen === "" ? [] : [chosen])])];
  return (
    <Field label={t("network")}>
      {(ids) => (
        <NativeSelect {...ids} {...register("network")}>
          <option value="">{t("defaultNetwork")}</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}

function LabelRows(): ReactNode {
  const t = useTranslations("run");
  const { control } = useFormContext<RunForm>();
  const rows = useFieldArray({ control, name: "labels" });
  return (
    <RowsField
      label={t("labels")}
      addLabel={t("addLabel")}
      rows={rows.fields}
      onAdd={() => rows.append({ name: "", value: "" })}
      onRemove={rows.remove}
    >
      {(index) => (
        <div className="grid grid-cols-2 gap-2">
          <Cell name={`labels.${index}.name`} label={t("labelName")} placeholder={t("labelName")} />
          <Cell name={`labels.${index}.value`} label={t("labelValue")} placeholder={t("labelValue")} />
        </div>
      )}
    </RowsField>
  );
}
