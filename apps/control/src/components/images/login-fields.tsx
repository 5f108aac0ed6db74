"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Login } from "@/components/operations/operations-provider.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";

export const NO_LOGIN: Login = { username: "", password: "" };

/** A registry's account for one transfer, folded away since most need none. */
export function LoginFields({ value, onChange }: { value: Login; onChange: (login: Login) => void }): ReactNode {
  const t = useTranslations("images.login");
  return (
    <details className="rounded-lg border">
      <summary className="px-3 py-2 text-sm text-muted hover:text-ink">{t("title")}</summary>
      <div className="grid gap-3 border-t p-3 sm:grid-cols-2">
        <Field label={t("username")}>
          {(ids) => <Input {...ids} value={value.username} onChange={(event) => onChange({ ...value, username: event.target.value })} />}
        </Field>
        <Field label={t("password")}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="off"
              value={value.password}
              onChange={(event) => onChange({ ...value, password: event.target.value })}
            />
          )}
        </Field>
        <p className="text-xs text-muted sm:col-span-2">{t("hint")}</p>
      </div>
    </details>
  );
}

/** The account when one was given. */
export function givenLogin({ username, password }: Login): { login?: Login } {
  return username.trim() === "" || password === "" ? {} : { login: { username: username.trim(), password } };
}
