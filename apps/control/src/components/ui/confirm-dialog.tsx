"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";

export type ConfirmDialogProps = {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  /** What breaks, in sentences. */
  body: ReactNode;
  confirmLabel: ReactNode;
  /** A name that must be typed first: for what cannot be undone. */
  typeToConfirm?: string;
  isPending: boolean;
  error?: string | undefined;
  onConfirm: () => void;
};

/** Asks before something is destroyed. Focus is on Cancel (or the name), so that Enter alone destroys nothing. */
export function ConfirmDialog(props: ConfirmDialogProps): ReactNode {
  return (
    <Dialog isOpen={props.isOpen} onOpenChange={props.onOpenChange} title={props.title}>
      <ConfirmForm {...props} />
    </Dialog>
  );
}

function ConfirmForm({ onOpenChange, body, confirmLabel, typeToConfirm, isPending, error, onConfirm }: ConfirmDialogProps): ReactNode {
  const t = useTranslations("common");
  const [typed, setTyped] = useState("");
  const isAllowed = typeToConfirm === undefined || typed === typeToConfirm;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isAllowed && !isPending) onConfirm();
      }}
    >
      <div className="space-y-2 text-sm text-muted">{body}</div>
      {typeToConfirm === undefined ? null : (
        <Field
          className="mt-4"
          label={t.rich("typeToConfirm", { name: () => <code className="font-mono font-semibold">{typeToConfirm}</code> })}
        >
          {(ids) => <Input {...ids} autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} />}
        </Field>
      )}
      {error === undefined ? null : (
        <p role="alert" className="mt-3 text-sm text-bad">
          {error}
        </p>
      )}
      <DialogActions>
        <Button autoFocus={typeToConfirm === undefined} onClick={() => onOpenChange(false)}>
          {t("cancel")}
        </Button>
        <Button type="submit" variant="danger" disabled={!isAllowed} isPending={isPending}>
          {confirmLabel}
        </Button>
      </DialogActions>
    </form>
  );
}
