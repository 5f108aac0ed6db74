"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { z } from "zod";
import { RoleOptions } from "@/components/settings/role-options.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const MIN_PASSWORD = 12;

const schema = z.object({
  name: z.string().trim().min(1, "name"),
  email: z.email("email"),
  password: z.string().min(MIN_PASSWORD, "length"),
  role: z.string().min(1),
});
type Values = z.infer<typeof schema>;

const EMPTY: Values = { name: "", email: "", password: "", role: "deployer" };

/** Makes an account with a first password, where no invitation can be sent. */
export function CreateMember({ onCreated }: { onCreated: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.members");
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
              <RoleOptions />
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
