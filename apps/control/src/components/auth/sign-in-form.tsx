"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { z } from "zod";
import { AuthCard } from "@/components/auth/auth-card.tsx";
import { SecondStep } from "@/components/auth/second-step.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { PartialNotice } from "@/components/ui/states.tsx";
import { openAuthClient } from "@/lib/auth-client.ts";
import { safeNextPath } from "@/lib/next-path.ts";
import { useTRPC } from "@/trpc/client.ts";

const half = z.looseObject({ twoFactorRedirect: z.literal(true) });
const schema = z.object({ email: z.email("email"), password: z.string().min(1, "password") });
type Values = z.infer<typeof schema>;

export function SignInForm(): ReactNode {
  const t = useTranslations("auth");
  const trpc = useTRPC();
  const next = safeNextPath(useSearchParams().get("next"));
  const { data: setup } = useQuery(trpc.setup.status.queryOptions());
  const [isHalf, setHalf] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const form = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    setFailure(null);
    const { data, error } = await openAuthClient().signIn.email(values);
    if (half.safeParse(data).success) setHalf(true);
    else if (error === null) window.location.assign(next);
    else setFailure(error.status === 401 ? t("wrong") : error.status === 429 ? t("tooMany") : (error.message ?? t("unreachable")));
  });
  if (isHalf) {
    return (
      <AuthCard title={t("second.title")}>
        <SecondStep onDone={() => window.location.assign(next)} />
      </AuthCard>
    );
  }
  return (
    <AuthCard title={t("signIn")}>
      {setup?.needsSetup === true ? (
        <div className="mb-4">
          <PartialNotice>{t("needsSetup")}</PartialNotice>
        </div>
      ) : null}
      <form onSubmit={(event) => void submit(event)} noValidate className="flex flex-col gap-4">
        <Field label={t("email")} error={errors.email === undefined ? undefined : t("errors.email")}>
          {(ids) => <Input {...ids} {...form.register("email")} type="email" autoComplete="username" autoFocus />}
        </Field>
        <Field label={t("password")} error={errors.password === undefined ? undefined : t("errors.password")}>
          {(ids) => <Input {...ids} {...form.register("password")} type="password" autoComplete="current-password" />}
        </Field>
        {failure === null ? null : (
          <p role="alert" className="text-sm text-bad">
            {failure}
          </p>
        )}
        <Button type="submit" variant="primary" isPending={isSubmitting}>
          {t("signIn")}
        </Button>
      </form>
    </AuthCard>
  );
}
