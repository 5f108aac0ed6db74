"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Cell } from "@/components/run/cell.tsx";
import { RowsField } from "@/components/run/rows-field.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import type { RunForm } from "@/lib/run-form.ts";
import { isAnonymous } from "@/lib/volume-row.ts";
import { useTRPC } from "@/trpc/client.ts";

const KINDS = ["volume", "bind", "tmpfs"] as const;

/** Volumes, directories of the host, and memory: where a container keeps what must outlive it. */
export function MountRows(): ReactNode {
  const t = useTranslations("run");
  const trpc = useTRPC();
  const { control } = useFormContext<RunForm>();
  const rows = useFieldArray({ control, name: "mounts" });
  const host = useWatch({ control, name: "host" });
  const { data } = useQuery(trpc.volumes.list.queryOptions({ host }, { enabled: host !== "" && rows.fields.length > 0 }));
  const names = (data?.items ?? []).map((volume) => volume.Name).filter((name) => !isAnonymous(name));
  return (
    <>
      <RowsField
        label={t("mounts")}
        addLabel={t("addMount")}
        rows={rows.fields}
        onAdd={() => rows.append({ kind: "volume", source: "", target: "", readOnly: false })}
        onRemove={rows.remove}
      >
        {(index) => <MountRow index={index} />}
      </RowsField>
      <datalist id="run-volumes">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

function MountRow({ index }: { index: number }): ReactNode {
  const t = useTranslations("run");
  const { control, register } = useFormContext<RunForm>();
  const kind = useWatch({ control, name: `mounts.${index}.kind` });
  return (
    <div className="grid grid-cols-2 items-center gap-2 sm:grid-cols-[7.25rem_minmax(0,1fr)_minmax(0,1fr)_auto]">
      <NativeSelect aria-label={t("mountKind")} {...register(`mounts.${index}.kind`)}>
        {KINDS.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </NativeSelect>
      {kind === "tmpfs" ? (
        <span className="text-xs text-muted">{t("inMemory")}</span>
      ) : (
        <Cell
          name={`mounts.${index}.source`}
          label={t(kind === "bind" ? "hostPath" : "volumeName")}
          placeholder={t(kind === "bind" ? "hostPath" : "volumeName")}
          {...(kind === "volume" ? { list: "run-volumes" } : {})}
        />
      )}
      <Cell name={`mounts.${index}.target`} label={t("target")} placeholder={t("target")} />
      {kind === "tmpfs" ? <span /> : <CheckField label={t("readOnlyMount")} {...register(`mounts.${index}.readOnly`)} />}
    </div>
  );
}
