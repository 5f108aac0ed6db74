"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { z } from "zod";
import { SettingsRows } from "@/components/settings/settings-rows.tsx";
import { BUILT_IN_ROLES, useRoleName } from "@/components/settings/use-role-name.ts";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useMe } from "@/components/use-me.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

const MIN_PASSWORD = 12;

const schema = z.object({
  name: z.string().trim().min(1, "name"),
  email: z.email("email"),
  password: z.string().min(MIN_PASSWORD, "length"),
  role: z.enum(BUILT_IN_ROLES),
});
type Values = z.infer<typeof schema>;

const EMPTY: Values = { name: "", email: "", password: "", role: "deployer" };

export function MembersPanel(): ReactNode {
  const t = useTranslations("settings.members");
  const roleName = useRoleName();
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const me = useMe();
  const query = useQuery(trpc.members.list.queryOptions());
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.members.pathKey() });
  const removing = useAsked(async (member: { id: string; name: string; email: string }) => {
    await client.members.remove.mutate({ id: member.id });
    await refresh();
  });
  return (
    <div className="space-y-4">
      <SettingsRows
        title={t("title")}
        query={query}
        empty={t("empty")}
        render={(member) => ({
          id: member.id,
          name: (
            <span className="inline-flex flex-wrap items-center gap-2">
              {member.name}
              <Badge>{roleName(member.role)}</Badge>
            </span>
          ),
          detail: member.email,
          action:
            member.id === me?.user.id ? (
              <span className="text-xs text-muted">{t("you")}</span>
            ) : (
              <Button size="sm" variant="dangerOutline" onClick={() => removing.ask(member)}>
                {t("remove")}
              </Button>
            ),
        })}
      />
      <CreateMember onCreated={refresh} />
      <ConfirmDialog
        isOpen={removing.subject !== null}
        onOpenChange={removing.close}
        title={t("removeTitle", { name: removing.subject?.name ?? "" })}
        body={<p>{t("removeBody")}</p>}
        typeToConfirm={removing.subject?.email ?? ""}
        confirmLabel={t("remove")}
        isPending={removing.isPending}
        error={removing.error}
        onConfirm={removing.confirm}
      />
    </div>
  );
}

function CreateMember({ onCreated }: { onCreated: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.members");
  const roles = useTranslations("settings.profile.roles");
  const trpc = useTRPC();
  const form = useForm<Values>({ resolver: zodResolver(schema), defaultValues: EMPTY });
  const { errors } = form.formState;
  const create = useMutation(
    trpc.members.create.mutationOptions({
      onSuccess: async () => {
        form.reset(EMPTY);
        await onCreated();
      },
    }),
  );
  return (
    <Panel title={t("create")}>
      <form
        noValidate
        className="grid gap-4 sm:grid-cols-2"
        onSubmit={(event) => void form.handleSubmit((values) => create.mutate(values))(event)}
      >
        <Field label={t("name")} error={errors.name === undefined ? undefined : t("errors.name")}>
          {(ids) => <Input {...ids} {...form.register("name")} />}
        </Field>
        <Field label={t("email")} error={errors.email === undefined ? undefined : t("errors.email")}>
          {(ids) => <Input {...ids} {...form.register("email")} type="email" />}
        </Field>
        <Field
          label={t("password")}
          hint={t("passwordHint", { min: MIN_PASSWORD })}
          error={errors.password === undefined ? undefined : t("errors.length", { min: MIN_PASSWORD })}
        >
          {(ids) => <Input {...ids} {...form.register("password")} type="password" autoComplete="new-password" />}
        </Field>
        <Field label={t("role")}>
          {(ids) => (
            <NativeSelect {...ids} {...form.register("role")}>
              {BUILT_IN_ROLES.map((role) => (
                <option key={role} value={role}>
                  {roles(role)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {create.error === null ? null : (
          <p role="alert" className="text-sm text-bad sm:col-span-2">
            {errorMessage(create.error)}
          </p>
        )}
        <div className="sm:col-span-2">
          <Button type="submit" variant="primary" isPending={create.isPending}>
            {t("createAction")}
          </Button>
        </div>
      </form>
    </Panel>
  );
}
