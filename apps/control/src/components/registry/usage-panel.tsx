"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Meter } from "@/components/ui/meter.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { formatBytes } from "@/lib/format.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const GIB = 1024 ** 3;

/** What the team holds against its quota; administrators set it here. */
export function UsagePanel({ isAdmin }: { isAdmin: boolean }): ReactNode {
  const t = useTranslations("registry.usage");
  const trpc = useTRPC();
  const query = useQuery(trpc.registry.usage.get.queryOptions());
  if (query.isPending) return <Skeleton className="h-32" />;
  if (query.isError) return <ErrorState title={t("title")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const { usedBytes, uploadBytes, limitBytes } = query.data;
  const used = formatBytes(usedBytes);
  return (
    <Panel title={t("title")}>
      <p className="text-sm">{limitBytes === null ? t("used", { used }) : t("ofLimit", { used, limit: formatBytes(limitBytes) })}</p>
      {limitBytes === null ? (
        <p className="text-sm text-muted">{t("noLimit")}</p>
      ) : (
        <Meter className="mt-2 max-w-md" label={t("label")} percent={limitBytes === 0 ? 100 : (usedBytes / limitBytes) * 100} />
      )}
      {uploadBytes > 0 ? <p className="mt-1 text-xs text-muted">{t("uploading", { size: formatBytes(uploadBytes) })}</p> : null}
      {isAdmin ? <QuotaForm key={limitBytes} limitBytes={limitBytes} /> : null}
    </Panel>
  );
}

function QuotaForm({ limitBytes }: { limitBytes: number | null }): ReactNode {
  const t = useTranslations("registry.usage");
  const common = useTranslations("common");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [text, setText] = useState(limitBytes === null ? "" : String(Math.round((limitBytes / GIB) * 100) / 100));
  const save = useMutation(
    trpc.registry.usage.setQuota.mutationOptions({
      onSuccess: () => queryClient.invalidateQueries({ queryKey: trpc.registry.usage.pathKey() }),
    }),
  );
  const value = text.trim() === "" ? null : Number(text);
  const isGood = value === null || (Number.isFinite(value) && value >= 0 && value <= 1_000_000);
  return (
    <form
      className="mt-4 flex flex-wrap items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (isGood) save.mutate({ limitBytes: value === null ? null : Math.round(value * GIB) });
      }}
    >
      <Field label={t("set")} hint={t("setHint")} error={save.error === null ? undefined : errorMessage(save.error)} className="max-w-md">
        {(ids) => (
          <div className="flex gap-2">
            <Input {...ids} inputMode="decimal" className="max-w-32" value={text} onChange={(event) => setText(event.target.value)} />
            <Button type="submit" disabled={!isGood} isPending={save.isPending}>
              {common("save")}
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}
