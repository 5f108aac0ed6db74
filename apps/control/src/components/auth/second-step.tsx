"use client";

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { AuthError } from "@/lib/auth-calls.ts";
import { verifyBackupCode, verifyTotp } from "@/lib/two-factor.ts";

/** The second step of a sign-in: a code of the app, or one of the backup codes. */
export function SecondStep({ onDone }: { onDone: () => void }): ReactNode {
  const t = useTranslations("auth.second");
  const [isBackup, setBackup] = useState(false);
  const [code, setCode] = useState("");
  const verify = useMutation({ mutationFn: () => (isBackup ? verifyBackupCode(code) : verifyTotp(code)), onSuccess: onDone });
  const wrong = verify.error instanceof AuthError && verify.error.status === 429 ? t("tooMany") : t("wrong");
  return (
    <form
      className="flex flex-col gap-4"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        verify.mutate();
      }}
    >
      <Field
        label={isBackup ? t("backupCode") : t("code")}
        hint={isBackup ? t("backupHint") : t("hint")}
        error={verify.error === null ? undefined : wrong}
      >
        {(ids) => (
          <Input
            {...ids}
            key={String(isBackup)}
            value={code}
            onChange={(event) => setCode(event.target.value)}
            inputMode={isBackup ? "text" : "numeric"}
            autoComplete="one-time-code"
            autoFocus
          />
        )}
      </Field>
      <Button type="submit" variant="primary" disabled={code.trim() === ""} isPending={verify.isPending}>
        {t("submit")}
      </Button>
      <Button
        variant="ghost"
        onClick={() => {
          setBackup(!isBackup);
          setCode("");
          verify.reset();
        }}
      >
        {isBackup ? t("useApp") : t("useBackup")}
      </Button>
    </form>
  );
}
