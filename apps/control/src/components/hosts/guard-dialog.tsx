"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, Textarea } from "@/components/ui/input.tsx";
import { GUARD_FLAGS, GUARD_LIMITS, GUARD_LISTS, type GuardForm, type ParsedGuard, parseGuardForm, toGuardForm } from "@/lib/guard-form.ts";
import { useTRPC } from "@/trpc/client.ts";

/** Whose guard rail it is: a team's on a host, or the instance's default one. */
export type GuardTarget = { host?: string; team?: string };
export type GuardDialogProps = { title: string; target: GuardTarget; guard: ParsedGuard; onClose: () => void };

/** Everything that a guard rail can allow and limit. */
export function GuardDialog({ title, target, guard, onClose }: GuardDialogProps): ReactNode {
  const t = useTranslations("host.guards");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [form, setForm] = useState<GuardForm>(() => toGuardForm(guard));
  const save = useMutation(
    trpc.guards.set.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries({ queryKey: trpc.guards.pathKey() });
        onClose();
      },
    }),
  );
  const parsed = parseGuardForm(form);
  const wrong = "wrong" in parsed ? parsed.wrong : null;
  return (
    <FormDialog
      title={title}
      placement="side"
      onClose={onClose}
      isReady={wrong === null}
      onSubmit={() => {
        if ("guard" in parsed) save.mutate({ ...target, ...parsed.guard });
      }}
      work={save}
    >
      <fieldset className="grid gap-3 sm:grid-cols-2">
        <legend className="mb-2 text-sm font-semibold">{t("limitsTitle")}</legend>
        {GUARD_LIMITS.map((limit) => (
          <Field key={limit} label={t(`limits.${limit}`)} hint={t(`limitHints.${limit}`)} error={wrong === limit ? t("wrong") : undefined}>
            {(ids) => (
              <Input
                {...ids}
                value={form.limits[limit]}
                onChange={(event) => setForm({ ...form, limits: { ...form.limits, [limit]: event.target.value } })}
              />
            )}
          </Field>
        ))}
      </fieldset>
      <fieldset className="space-y-2">
        <legend className="mb-2 text-sm font-semibold">{t("allowed")}</legend>
        {GUARD_FLAGS.map((flag) => (
          <CheckField
            key={flag}
            label={t(`flags.${flag}`)}
            {...(flag === "privileged" || flag === "sockets" ? { hint: t("isRoot") } : {})}
            checked={form.flags[flag]}
            onChange={(event) => setForm({ ...form, flags: { ...form.flags, [flag]: event.target.checked } })}
          />
        ))}
      </fieldset>
      {GUARD_LISTS.map((list) => (
        <Field key={list} label={t(`lists.${list}`)} hint={t(`listHints.${list}`)} error={wrong === list ? t("wrong") : undefined}>
          {(ids) => (
            <Textarea
              {...ids}
              rows={3}
              className="font-mono text-xs"
              value={form.lists[list]}
              onChange={(event) => setForm({ ...form, lists: { ...form.lists, [list]: event.target.value } })}
            />
          )}
        </Field>
      ))}
    </FormDialog>
  );
}
