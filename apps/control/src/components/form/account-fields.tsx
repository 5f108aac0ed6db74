"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { type AccountField, type AccountForm, checkAccount, MIN_PASSWORD } from "@/lib/account-form.ts";

const INPUTS: Readonly<Record<AccountField, { type: string; autoComplete: string }>> = {
  name: { type: "text", autoComplete: "name" },
  email: { type: "email", autoComplete: "username" },
  password: { type: "password", autoComplete: "new-password" },
  teamName: { type: "text", autoComplete: "organization" },
};

export type AccountFieldsProps<Form extends AccountForm> = {
  form: Form;
  fields: readonly (AccountField & keyof Form)[];
  onChange: (form: Form) => void;
  /** Whether what is wrong is said: not before the first attempt to send. */
  isChecked: boolean;
  /** Of a password that is chosen for somebody else. */
  passwordWords?: { label: string; hint: string };
};

/** The fields of a new account, wherever one is made. */
export function AccountFields<Form extends AccountForm>({
  form,
  fields,
  onChange,
  isChecked,
  passwordWords,
}: AccountFieldsProps<Form>): ReactNode {
  const t = useTranslations("setup");
  const wrong = isChecked ? checkAccount(form) : {};
  const labels = { name: t("name"), email: t("email"), password: t("password"), teamName: t("teamName") };
  const hints = { name: undefined, email: undefined, teamName: t("teamHint"), password: t("passwordHint", { min: MIN_PASSWORD }) };
  const errors = {
    name: t("errors.name"),
    teamName: t("errors.name"),
    email: t("errors.email"),
    password: t("errors.length", { min: MIN_PASSWORD }),
  };
  return fields.map((field, index) => {
    const own = field === "password" ? passwordWords : undefined;
    return (
      <Field
        key={field}
        label={own?.label ?? labels[field]}
        hint={own?.hint ?? hints[field]}
        error={wrong[field] === true ? errors[field] : undefined}
      >
        {(ids) => (
          <Input
            {...ids}
            {...INPUTS[field]}
            name={field}
            autoFocus={index === 0}
            value={form[field] ?? ""}
            onChange={(event) => onChange({ ...form, [field]: event.target.value })}
          />
        )}
      </Field>
    );
  });
}

/** Puts the cursor into the first field that is marked as wrong, once it is. */
export function focusWrongField(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
}
