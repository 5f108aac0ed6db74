"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
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
const schema = z.object({ name: z.string().trim().min(1, "name"), password: z.string().min(MIN_PASSWORD, "length") });
type Values = z.infer<typeof schema>;
type Invitation = { email: string; team: string; hasAccount: boolean };

/** Joins a team by the link of an invitation: with a new account, or as who one is. The secret is in the fragment. */
export function InviteForm(): ReactNode {
  const t = useTranslations("invite");
  const trpc = useTRPC();
  const [token, setToken] = useState<string | null>(null);
  const look = useMutation(trpc.invitations.look.mutationOptions());
  const { mutate } = look;
  useEffect(() => {
    const found = setupToken(window.location.hash);
    setToken(found);
    mutate({ token: found ?? "none" });
  }, [mutate]);
  if (look.error !== null)
    return (
      <AuthCard title={t("badTitle")} body={errorMessage(look.error)}>
        {null}
      </AuthCard>
    );
  if (look.data === undefined || token === null) {
    return (
      <AuthCard title={t("title")}>
        <Skeleton className="h-64" />
      </AuthCard>
    );
  }
  const { data: invitation } = look;
  return (
    <AuthCard title={t("joinTitle", { team: invitation.team })} body={t("for", { email: invitation.email })}>
      {invitation.hasAccount ? (
        <AcceptAsOneself token={token} invitation={invitation} />
      ) : (
        <NewAccount token={token} invitation={invitation} />
      )}
    </AuthCard>
  );
}

function AcceptAsOneself({ token, invitation }: { token: string; invitation: Invitation }): ReactNode {
  const t = useTranslations("invite");
  const trpc = useTRPC();
  const accept = useMutation(
    trpc.invitations.accept.mutationOptions({
      onSuccess: () => window.location.assign("/"),
    }),
  );
  return (
    <div className="flex flex-col gap-4">
      <p className="text-sm text-muted">{t("hasAccount", { email: invitation.email })}</p>
      {accept.error === null ? null : (
        <p role="alert" className="text-sm text-bad">
          {errorMessage(accept.error)}
        </p>
      )}
      <Button variant="primary" isPending={accept.isPending} onClick={() => accept.mutate({ token })}>
        {t("accept")}
      </Button>
      <Button asChild variant="ghost">
        <Link href="/sign-in" target="_blank">
          {t("signIn")}
        </Link>
      </Button>
    </div>
  );
}

function NewAccount({ token, invitation }: { token: string; invitation: Invitation }): ReactNode {
  const t = useTranslations("invite");
  const setup = useTranslations("setup");
  const trpc = useTRPC();
  const accept = useMutation(trpc.invitations.accept.mutationOptions());
  const form = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { name: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      await accept.mutateAsync({ token, ...values });
    } catch {
      return; // shown below, by the mutation's own state
    }
    const { error } = await openAuthClient().signIn.email({ email: invitation.email, password: values.password });
    window.location.assign(error === null ? "/" : "/sign-in");
  });
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="flex flex-col gap-4">
      <input type="hidden" autoComplete="username" value={invitation.email} readOnly />
      <Field label={setup("name")} error={errors.name === undefined ? undefined : setup("errors.name")}>
        {(ids) => <Input {...ids} {...form.register("name")} autoComplete="name" autoFocus />}
      </Field>
      <Field
        label={setup("password")}
        hint={setup("passwordHint", { min: MIN_PASSWORD })}
        error={errors.password === undefined ? undefined : setup("errors.length", { min: MIN_PASSWORD })}
      >
        {(ids) => <Input {...ids} {...form.register("password")} type="password" autoComplete="new-password" />}
      </Field>
      {accept.error === null ? null : (
        <p role="alert" className="text-sm text-bad">
          {errorMessage(accept.error)}
        </p>
      )}
      <Button type="submit" variant="primary" isPending={isSubmitting}>
        {t("join")}
      </Button>
    </form>
  );
}
