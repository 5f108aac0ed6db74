"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useSearchParams } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { AuthCard } from "@/components/auth/auth-card.tsx";
import { focusWrongField } from "@/components/form/account-fields.tsx";
import { FormError } from "@/components/form/form-error.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { PartialNotice } from "@/components/ui/states.tsx";
import { checkAccount } from "@/lib/account-form.ts";
import { AuthError, signIn } from "@/lib/auth-calls.ts";
import { safeNextPath } from "@/lib/next-path.ts";
import { useTRPC } from "@/trpc/client.ts";

const SecondStep = dynamic(() => import("@/components/auth/second-step.tsx").then((found) => found.SecondStep), { ssr: false });

export function SignInForm(): ReactNode {
  const t = useTranslations("auth");
  const next = safeNextPath(useSearchParams().get("next"));
  const [isHalf, setHalf] = useState(false);
  const done = (): void => window.location.assign(next);
  if (isHalf) {
    return (
      <AuthCard title={t("second.title")}>
        <SecondStep onDone={done} />
      </AuthCard>
    );
  }
  return (
    <AuthCard title={t("signIn")}>
      <SetupNotice />
      <PasswordForm onHalf={() => setHalf(true)} onDone={done} />
    </AuthCard>
  );
}

function SetupNotice(): ReactNode {
  const t = useTranslations("auth");
  const trpc = useTRPC();
  const { data: setup } = useQuery(trpc.setup.status.queryOptions());
  if (setup?.needsSetup !== true) return null;
  return (
    <div className="mb-4">
      <PartialNotice>{t("needsSetup")}</PartialNotice>
    </div>
  );
}

/** The first step. `onHalf`: a one-time code is asked for too. */
function PasswordForm({ onHalf, onDone }: { onHalf: () => void; onDone: () => void }): ReactNode {
  const t = useTranslations("auth");
  const [form, setForm] = useState({ email: "", password: "" });
  const [isChecked, setChecked] = useState(false);
  const attempt = useMutation({
    mutationFn: () => signIn(form.email, form.password),
    onSuccess: (outcome) => (outcome === "half" ? onHalf() : onDone()),
  });
  const { error } = attempt;
  const failure =
    error instanceof AuthError && error.status === 401
      ? t("wrong")
      : error instanceof AuthError && error.status === 429
        ? t("tooMany")
        : error?.message || t("unreachable");
  const isEmailWrong = checkAccount({ email: form.email }).email === true;
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        setChecked(true);
        if (isEmailWrong || form.password === "") focusWrongField();
        else attempt.mutate();
      }}
    >
      <Field label={t("email")} error={isChecked && isEmailWrong ? t("errors.email") : undefined}>
        {(ids) => (
          <Input
            {...ids}
            type="email"
            name="email"
            autoComplete="username"
            autoFocus
            value={form.email}
            onChange={(event) => setForm({ ...form, email: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("password")} error={isChecked && form.password === "" ? t("errors.password") : undefined}>
        {(ids) => (
          <Input
            {...ids}
            type="password"
            name="password"
            autoComplete="current-password"
            value={form.password}
            onChange={(event) => setForm({ ...form, password: event.target.value })}
          />
        )}
      </Field>
      <FormError work={{ isPending: attempt.isPending, error: error === null ? null : failure }} />
      <Button type="submit" variant="primary" isPending={attempt.isPending}>
        {t("signIn")}
      </Button>
    </form>
  );
}
