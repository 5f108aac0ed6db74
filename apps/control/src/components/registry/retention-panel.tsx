"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { toast } from "sonner";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { formatBytes } from "@/lib/format.ts";
import { shortDigest } from "@/lib/registry-path.ts";
import { type RetentionFields, type RuleFields, toRetentionFields, toRetentionPolicy } from "@/lib/retention-form.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { RepositoryDetail, RetentionPlan, RetentionPolicy } from "@/trpc/types.ts";

const NEW_RULE: RuleFields = { pattern: "*", keepLast: "10", olderThanDays: "" };

/** Rules of what is kept, with a preview of what would go before they are saved or applied. */
export function RetentionPanel({ repository }: { repository: RepositoryDetail }): ReactNode {
  const t = useTranslations("registry.retention");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const [fields, setFields] = useState(() => toRetentionFields(repository.retention));
  const [shown, setShown] = useState<RetentionPolicy | null>(null);
  const policy = toRetentionPolicy(fields);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.registry.pathKey() });
  const save = useMutation(
    trpc.registry.repositories.update.mutationOptions({
      onSuccess: async () => {
        toast.success(t("saved"));
        await refresh();
      },
    }),
  );
  const run = useAsked(async (path: string) => {
    await client.registry.retention.run.mutate({ repository: path });
    await refresh();
  });
  return (
    <div className="space-y-4">
      <Panel title={t("title")}>
        <p className="mb-4 max-w-2xl text-sm text-muted">{t("body")}</p>
        <RuleRows fields={fields} onChange={setFields} />
        {policy === undefined ? <p className="mt-3 text-sm text-bad">{t("invalid")}</p> : null}
        {save.error === null ? null : <p className="mt-3 text-sm text-bad">{errorMessage(save.error)}</p>}
        <div className="mt-4 flex flex-wrap gap-2">
          <Button
            variant="primary"
            disabled={policy === undefined}
            isPending={save.isPending}
            onClick={() => policy !== undefined && save.mutate({ repository: repository.path, retention: policy })}
          >
            {t("save")}
          </Button>
          <Button disabled={policy === undefined} onClick={() => setShown(policy ?? null)}>
            {t("preview")}
          </Button>
          <Button variant="dangerOutline" onClick={() => run.ask(repository.path)}>
            {t("run")}
          </Button>
        </div>
      </Panel>
      {shown === null ? null : <Preview repository={repository.path} policy={shown} />}
      <ConfirmDialog
        isOpen={run.subject !== null}
        onOpenChange={run.close}
        title={t("runTitle")}
        body={<p>{t("runBody")}</p>}
        confirmLabel={t("run")}
        isPending={run.isPending}
        error={run.error}
        onConfirm={run.confirm}
      />
    </div>
  );
}

function RuleRows({ fields, onChange }: { fields: RetentionFields; onChange: (fields: RetentionFields) => void }): ReactNode {
  const t = useTranslations("registry.retention");
  const setRule = (index: number, change: Partial<RuleFields>): void =>
    onChange({ ...fields, rules: fields.rules.map((rule, at) => (at === index ? { ...rule, ...change } : rule)) });
  return (
    <div className="space-y-3">
      {fields.rules.length === 0 ? <p className="text-sm text-muted">{t("none")}</p> : null}
      {fields.rules.map((rule, index) => (
        <div key={index} className="flex flex-wrap items-end gap-2">
          <Field label={t("pattern")} className="w-40">
            {(ids) => (
              <Input
                {...ids}
                className="font-mono"
                value={rule.pattern}
                onChange={(event) => setRule(index, { pattern: event.target.value })}
              />
            )}
          </Field>
          <Field label={t("keepLast")} className="w-28">
            {(ids) => (
              <Input
                {...ids}
                inputMode="numeric"
                value={rule.keepLast}
                onChange={(event) => setRule(index, { keepLast: event.target.value })}
              />
            )}
          </Field>
          <Field label={t("olderThan")} className="w-32">
            {(ids) => (
              <Input
                {...ids}
                inputMode="numeric"
                value={rule.olderThanDays}
                onChange={(event) => setRule(index, { olderThanDays: event.target.value })}
              />
            )}
          </Field>
          <Button
            variant="ghost"
            size="icon"
            aria-label={t("removeRule")}
            onClick={() => onChange({ ...fields, rules: fields.rules.filter((_, at) => at !== index) })}
          >
            <X />
          </Button>
        </div>
      ))}
      <Button size="sm" onClick={() => onChange({ ...fields, rules: [...fields.rules, NEW_RULE] })}>
        <Plus />
        {t("addRule")}
      </Button>
      <Field label={t("untagged")} hint={t("untaggedHint")} className="max-w-xs pt-2">
        {(ids) => (
          <Input
            {...ids}
            inputMode="numeric"
            className="max-w-28"
            value={fields.untaggedAfterDays}
            onChange={(event) => onChange({ ...fields, untaggedAfterDays: event.target.value })}
          />
        )}
      </Field>
    </div>
  );
}

function Preview({ repository, policy }: { repository: string; policy: RetentionPolicy }): ReactNode {
  const t = useTranslations("registry.retention");
  const trpc = useTRPC();
  const query = useQuery(trpc.registry.retention.preview.queryOptions({ repository, policy }));
  if (query.isPending) return <Skeleton className="h-24" />;
  if (query.isError)
    return <ErrorState title={t("previewTitle")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  return (
    <Panel title={t("previewTitle")}>
      <Plan plan={query.data} />
    </Panel>
  );
}

function Plan({ plan }: { plan: RetentionPlan }): ReactNode {
  const t = useTranslations("registry.retention");
  if (plan.tags.length === 0 && plan.manifests.length === 0) return <p className="text-sm text-muted">{t("previewNothing")}</p>;
  const bytes = plan.manifests.reduce((sum, image) => sum + image.size, 0);
  return (
    <div className="space-y-3 text-sm">
      {plan.tags.length === 0 ? null : (
        <div>
          <p className="font-medium">{t("previewTags", { count: plan.tags.length })}</p>
          <ul className="mt-1 flex max-h-64 flex-wrap gap-1.5 overflow-y-auto">
            {plan.tags.map((tag) => (
              <li key={tag.name} className="rounded-sm bg-bad-soft px-1.5 py-0.5 font-mono text-xs text-bad" title={tag.digest}>
                {tag.name}
              </li>
            ))}
          </ul>
        </div>
      )}
      {plan.manifests.length === 0 ? null : (
        <div>
          <p className="font-medium">{t("previewImages", { count: plan.manifests.length, size: formatBytes(bytes) })}</p>
          <p className="mt-1 font-mono text-xs break-words text-muted">
            {plan.manifests.map((image) => shortDigest(image.digest)).join(" ")}
          </p>
        </div>
      )}
    </div>
  );
}
