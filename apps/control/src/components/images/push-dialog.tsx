"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { givenLogin, LoginFields, NO_LOGIN } from "@/components/images/login-fields.tsx";
import { useOperationActions } from "@/components/operations/operations-provider.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";

export type PushDialogProps = { isOpen: boolean; onClose: () => void; host: string; names: readonly string[] };

/** Sends one of an image's names to the registry that the name says. */
export function PushDialog({ isOpen, onClose, host, names }: PushDialogProps): ReactNode {
  const t = useTranslations("image.push");
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("title")}
      description={t("description")}
    >
      <PushForm onClose={onClose} host={host} names={names} />
    </Dialog>
  );
}

function PushForm({ onClose, host, names }: Omit<PushDialogProps, "isOpen">): ReactNode {
  const t = useTranslations("image.push");
  const common = useTranslations("common");
  const { transfer, setOpen } = useOperationActions();
  const [chosen, setName] = useState("");
  const [login, setLogin] = useState(NO_LOGIN);
  const name = names.includes(chosen) ? chosen : (names[0] ?? "");
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        transfer({ kind: "push", host, reference: name, ...givenLogin(login) });
        onClose();
        setOpen(true);
      }}
    >
      <Field label={t("name")} hint={t("nameHint")}>
        {(ids) => (
          <NativeSelect {...ids} value={name} onChange={(event) => setName(event.target.value)}>
            {names.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <LoginFields value={login} onChange={setLogin} />
      <DialogActions>
        <Button onClick={onClose}>{common("cancel")}</Button>
        <Button type="submit" variant="primary" disabled={name === ""}>
          {t("action")}
        </Button>
      </DialogActions>
    </form>
  );
}
