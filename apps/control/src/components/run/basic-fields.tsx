"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Controller, useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { HostSelect } from "@/components/hosts/host-select.tsx";
import { Cell } from "@/components/run/cell.tsx";
import { TextField, useFieldError } from "@/components/run/form-field.tsx";
import { MountRows } from "@/components/run/mount-rows.tsx";
import { RowsField } from "@/components/run/rows-field.tsx";
import { Field } from "@/components/ui/field.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { imageNames } from "@/lib/image-row.ts";
import type { RunForm } from "@/lib/run-form.ts";
import { useTRPC } from "@/trpc/client.ts";

const RESTARTS = ["no", "unless-stopped", "always", "on-failure"] as const;

/** What most containers need: host, image, name, ports, variables, volumes, restart policy. */
export function BasicFields(): ReactNode {
  const t = useTranslations("run");
  const { control, register } = useFormContext<RunForm>();
  const restart = useWatch({ control, name: "restart" });
  const hostError = useFieldError("host");
  return (
    <Panel>
      <div className="space-y-5">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("host")} error={hostError}>
            {(ids) => (
              <Controller
                control={control}
                name="host"
                render={({ field }) => <HostSelect {...ids} value={field.value} onChange={field.onChange} />}
              />
            )}
          </Field>
          <TextField name="name" label={t("name")} placeholder={t("namePlaceholder")} />
          <ImageField />
          <TextField name="command" label={t("command")} placeholder={t("commandPlaceholder")} isMono />
        </div>
        <PortRows />
        <EnvRows />
        <MountRows />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("restart")} hint={t(`restarts.${restart}`)}>
            {(ids) => (
              <NativeSelect {...ids} {...register("restart")}>
                {RESTARTS.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
          {restart === "on-failure" ? <TextField name="retries" label={t("retries")} placeholder={t("unlimited")} /> : null}
        </div>
      </div>
    </Panel>
  );
}

/** The image, with the names that the chosen host has as suggestions. */
function ImageField(): ReactNode {
  const t = useTranslations("run");
  const trpc = useTRPC();
  const { control } = useFormContext<RunForm>();
  const host = useWatch({ control, name: "host" });
  const { data } = useQuery(trpc.images.list.queryOptions({ host }, { enabled: host !== "" }));
  const names = [...new Set((data?.items ?? []).flatMap(imageNames))].sort();
  return (
    <>
      <TextField
        name="image"
        label={t("image")}
        list="run-images"
        placeholder="nginx:1.27"
        {...(data !== undefined && names.length === 0 ? { hint: t("noImages") } : {})}
      />
      <datalist id="run-images">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

function PortRows(): ReactNode {
  const t = useTranslations("run");
  const { control, register } = useFormContext<RunForm>();
  const rows = useFieldArray({ control, name: "ports" });
  return (
    <RowsField
      label={t("ports")}
      addLabel={t("addPort")}
      rows={rows.fields}
      onAdd={() => rows.append({ hostIp: "", hostPort: "", containerPort: "", protocol: "tcp" })}
      onRemove={rows.remove}
    >
      {(index) => (
        <div className="grid grid-cols-2 gap-2 sm:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)_minmax(0,1fr)_5.5rem]">
          <Cell name={`ports.${index}.hostIp`} label={t("hostIp")} placeholder={t("hostIp")} />
          <Cell name={`ports.${index}.hostPort`} label={t("hostPort")} placeholder={t("hostPort")} inputMode="numeric" />
          <Cell name={`ports.${index}.containerPort`} label={t("containerPort")} placeholder={t("containerPort")} inputMode="numeric" />
          <NativeSelect aria-label={t("protocol")} {...register(`ports.${index}.protocol`)}>
            <option value="tcp">tcp</option>
            <option value="udp">udp</option>
          </NativeSelect>
        </div>
      )}
    </RowsField>
  );
}

function EnvRows(): ReactNode {
  const t = useTranslations("run");
  const { control } = useFormContext<RunForm>();
  const rows = useFieldArray({ control, name: "env" });
  return (
    <RowsField
      label={t("env")}
      addLabel={t("addEnv")}
      rows={rows.fields}
      onAdd={() => rows.append({ name: "", value: "" })}
      onRemove={rows.remove}
    >
      {(index) => (
        <div className="grid grid-cols-2 gap-2">
          <Cell name={`env.${index}.name`} label={t("envName")} placeholder={t("envName")} className="font-mono" />
          <Cell name={`env.${index}.value`} label={t("envValue")} placeholder={t("envValue")} className="font-mono" />
        </div>
      )}
    </RowsField>
  );
}
