"use client";

import type { ReactNode } from "react";
import { type FieldPath, useFormContext } from "react-hook-form";
import { useTranslations } from "use-intl";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Field, type FieldIds } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import type { RunForm } from "@/lib/run-form.ts";

export type TextName = FieldPath<RunForm>;

/** The message of what is wrong with a field, in the page's language. */
export function useFieldError(name: TextName): string | undefined {
  const t = useTranslations("run.errors");
  const { getFieldState, formState } = useFormContext<RunForm>();
  const key = getFieldState(name, formState).error?.message;
  if (key === undefined) return undefined;
  return t.has(key as "image") ? t(key as "image") : key;
}

export type TextFieldProps = {
  name: TextName;
  label: string;
  hint?: string;
  placeholder?: string;
  isMono?: boolean;
  className?: string;
  list?: string;
};

export function TextField({ name, label, hint, placeholder, isMono = false, className, list }: TextFieldProps): ReactNode {
  const { register } = useFormContext<RunForm>();
  const error = useFieldError(name);
  return (
    <Field label={label} hint={hint} error={error} {...(className === undefined ? {} : { className })}>
      {(ids: FieldIds) => (
        <Input {...ids} {...register(name)} placeholder={placeholder} list={list} className={isMono ? "font-mono text-xs" : ""} />
      )}
    </Field>
  );
}

export type SwitchName = "tty" | "interactive" | "autoRemove" | "privileged" | "init" | "readOnly";

export function SwitchField({ name, label, hint }: { name: SwitchName; label: string; hint?: string }): ReactNode {
  const { register } = useFormContext<RunForm>();
  const error = useFieldError(name);
  return (
    <div>
      <CheckField label={label} hint={hint} {...register(name)} />
      {error === undefined ? null : (
        <p role="alert" className="mt-1 pl-5.5 text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}
