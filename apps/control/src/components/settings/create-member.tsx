"use client";

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { AccountFields, focusWrongField } from "@/components/form/account-fields.tsx";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { RoleOptions } from "@/components/settings/role-options.tsx";
import { Field } from "@/components/ui/field.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { checkAccount, MIN_PASSWORD } from "@/lib/account-form.ts";
import { useTRPCClient } from "@/trpc/client.ts";

const EMPTY = { name: "", email: "", password: "", role: "deployer" };

/** Makes an account with a first password, where no invitation can be sent. */
export function CreateMember({ onClose, onCreated }: { onClose: () => void; onCreated: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.members");
  const client = useTRPCClient();
  const [form, setForm] = useState(EMPTY);
  const [isChecked, setChecked] = useState(false);
  const create = useMutation({
    mutationFn: async () => {
      await client.members.create.mutate({ ...form, name: form.name.trim(), email: form.email.trim() });
      await onCreated();
    },
    onSuccess: onClose,
  });
  return (
    <FormDialog
      title={t("create")}
      onClose={onClose}
      action={t("createAction")}
      isReady
      onSubmit={() => {
        setChecked(true);
        if (Object.keys(checkAccount(form)).length > 0) focusWrongField();
        else create.mutate();
      }}
      work={create}
    >
      <AccountFields
        form={form}
        fields={["name", "email", "password"]}
        onChange={setForm}
        isChecked={isChecked}
        passwordWords={{ label: t("password"), hint: t("passwordHint", { min: MIN_PASSWORD }) }}
      />
      <Field label={t("role")}>
        {(ids) => (
          <NativeSelect {...ids} value={form.role} onChange={(event) => setForm({ ...form, role: event.target.value })}>
            <RoleOptions />
          </NativeSelect>
        )}
      </Field>
    </FormDialog>
  );
}
