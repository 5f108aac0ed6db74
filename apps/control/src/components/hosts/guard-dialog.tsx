"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, Textarea } from "@/components/ui/input.tsx";
import { GUARD_FLAGS, GUARD_LIMITS, GUARD_LISTS, type GuardForm, parseGuardForm, type TeamGuard, toGuardForm } from "@/lib/guard-form.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { HostDetails } from "@/trpc/types.ts";

export type GuardDialogProps = { host: HostDetails; guard: TeamGuard; onClose: () => void };

/** Everything that a guard rail can allow and limit, for a team on a host. */
export function GuardDialog({ host, guard, onClose }: GuardDialogProps): ReactNode {
  const t = useTranslations("host.guards");
  const common = useTranslations("common");
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
    <Dialog isOpen onOpenChange={onClose} placement="side" title={t("editTitle", { team: guard.team.name, host: host.name })}>
      <form
        className="space-y-5"
        onSubmit={(event) => {
          event.preventDefault();
          if ("guard" in parsed) save.mutate({ host: host.id, team: guard.team.id, ...parsed.guard });
        }}
      >
        <fieldset className="grid gap-3 sm:grid-cols-2">
          <legend className="mb-2 text-sm font-semibold">{t("limitsTitle")}</legend>
          {GUARD_LIMITS.map((limit) => (
            <Field
              key={limit}
              label={t(`limits.${limit}`)}
              hint={t(`limitHints.${limit}`)}
              error={wrong === limit ? t("wrong") : undefined}
            >
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
        {save.error === null ? null : (
          <p role="alert" className="text-sm break-words text-bad">
            {errorMessage(save.error)}
          </p>
        )}
        <DialogActions>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" variant="primary" disabled={wrong !== null} isPending={save.isPending}>
            {common("save")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
