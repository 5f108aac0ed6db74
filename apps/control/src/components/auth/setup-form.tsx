"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@/components/ui/link.tsx";
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
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

const EMPTY = { name: "", email: "", password: "", teamName: "" };

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
  const client = useTRPCClient();
  const [form, setForm] = useState(EMPTY);
  const [isChecked, setChecked] = useState(false);
  const complete = useMutation({
    mutationFn: async () => {
      const { email, password } = form;
      await client.setup.complete.mutate({ token, ...form, name: form.name.trim(), email: email.trim(), teamName: form.teamName.trim() });
      await enterWith(email, password);
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
        else complete.mutate();
      }}
    >
      <AccountFields form={form} fields={["name", "email", "password", "teamName"]} onChange={setForm} isChecked={isChecked} />
      <FormError work={complete} />
      <Button type="submit" variant="primary" isPending={complete.isPending}>
        {t("submit")}
      </Button>
    </form>
  );
}
