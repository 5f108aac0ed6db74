"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { z } from "zod";
import { AuthCard } from "@/components/auth/auth-card.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { openAuthClient } from "@/lib/auth-client.ts";
import { setupToken } from "@/lib/setup-token.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const MIN_PASSWORD = 12;

const schema = z.object({
  name: z.string().trim().min(1, "name"),
  email: z.email("email"),
  password: z.string().min(MIN_PASSWORD, "length"),
  teamName: z.string().trim().min(1, "name"),
});
type Values = z.infer<typeof schema>;

/** The first page of all: makes the administrator and the first team, for the holder of the one-time link. */
export function SetupForm(): ReactNode {
  const t = useTranslations("setup");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.setup.status.queryOptions());
  const [token, setToken] = useState<string | null | undefined>(undefined);
  useEffect(() => setToken(setupToken(window.location.hash)), []);
  if (data === undefined || token === undefined) {
    return (
      <AuthCard title={t("title")} body={t("body")}>
        <Skeleton className="h-80" />
      </AuthCard>
    );
  }
  if (!data.needsSetup) {
    return (
      <AuthCard title={t("doneTitle")} body={t("doneBody")}>
        <Button asChild variant="primary">
          <Link href="/sign-in">{t("toSignIn")}</Link>
        </Button>
      </AuthCard>
    );
  }
  if (token === null) {
    return (
      <AuthCard title={t("noTokenTitle")} body={t("noTokenBody")}>
        <Button onClick={() => window.location.reload()}>{t("tryAgain")}</Button>
      </AuthCard>
    );
  }
  return (
    <AuthCard title={t("title")} body={t("body")}>
      <AccountForm token={token} />
    </AuthCard>
  );
}

function AccountForm({ token }: { token: string }): ReactNode {
  const t = useTranslations("setup");
  const trpc = useTRPC();
  const complete = useMutation(trpc.setup.complete.mutationOptions());
  const form = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { name: "", email: "", password: "", teamName: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      await complete.mutateAsync({ token, ...values });
    } catch {
      return; // shown below, by the mutation's own state
    }
    const { error } = await openAuthClient().signIn.email({ email: values.email, password: values.password });
    window.location.assign(error === null ? "/" : "/sign-in");
  });
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="flex flex-col gap-4">
      <Field label={t("name")} error={errors.name === undefined ? undefined : t("errors.name")}>
        {(ids) => <Input {...ids} {...form.register("name")} autoComplete="name" autoFocus />}
      </Field>
      <Field label={t("email")} error={errors.email === undefined ? undefined : t("errors.email")}>
        {(ids) => <Input {...ids} {...form.register("email")} type="email" autoComplete="username" />}
      </Field>
      <Field
        label={t("password")}
        hint={t("passwordHint", { min: MIN_PASSWORD })}
        error={errors.password === undefined ? undefined : t("errors.length", { min: MIN_PASSWORD })}
      >
        {(ids) => <Input {...ids} {...form.register("password")} type="password" autoComplete="new-password" />}
      </Field>
      <Field label={t("teamName")} hint={t("teamHint")} error={errors.teamName === undefined ? undefined : t("errors.name")}>
        {(ids) => <Input {...ids} {...form.register("teamName")} autoComplete="organization" />}
      </Field>
      {complete.error === null ? null : (
        <p role="alert" className="text-sm text-bad">
          {errorMessage(complete.error)}
        </p>
      )}
      <Button type="submit" variant="primary" isPending={isSubmitting}>
        {t("submit")}
      </Button>
    </form>
  );
}
