"use client";

import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { AuthCard } from "@/components/auth/auth-card.tsx";
import { AccountFields, focusWrongField } from "@/components/form/account-fields.tsx";
import { FormError } from "@/components/form/form-error.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { checkAccount } from "@/lib/account-form.ts";
import { enterWith } from "@/lib/auth-calls.ts";
import { setupToken } from "@/lib/setup-token.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

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
      <FormError work={accept} />
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
  const client = useTRPCClient();
  const [form, setForm] = useState({ name: "", password: "" });
  const [isChecked, setChecked] = useState(false);
  const accept = useMutation({
    mutationFn: async () => {
      await client.invitations.accept.mutate({ token, name: form.name.trim(), password: form.password });
      await enterWith(invitation.email, form.password);
    },
  });
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        setChecked(true);
        if (Object.keys(checkAccount(form)).length > 0) focusWrongField();
        else accept.mutate();
      }}
    >
      <input type="hidden" autoComplete="username" value={invitation.email} readOnly />
      <AccountFields form={form} fields={["name", "password"]} onChange={setForm} isChecked={isChecked} />
      <FormError work={accept} />
      <Button type="submit" variant="primary" isPending={accept.isPending}>
        {t("join")}
      </Button>
    </form>
  );
}
