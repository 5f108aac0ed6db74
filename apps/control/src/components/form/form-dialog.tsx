"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { FormError, type Work } from "@/components/form/form-error.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import type { DialogProps } from "@/components/ui/dialog-props.ts";

export type FormDialogProps = Pick<DialogProps, "title" | "description" | "placement" | "className" | "children"> & {
  onClose: () => void;
  /** What the button says that does it; "Save" where nothing is given. */
  action?: ReactNode;
  /** Whether what is filled in can be sent. */
  isReady: boolean;
  onSubmit: () => void;
  /** The call that `onSubmit` makes: it shows that it runs and why it was refused. Without one nothing is waited for. */
  work?: Work;
};

/** The one dialog with a form: fields, why it was refused, Cancel and the button that does it. Open while it is mounted. */
export function FormDialog({ onClose, action, isReady, onSubmit, work, children, ...box }: FormDialogProps): ReactNode {
  const t = useTranslations("common");
  return (
    <Dialog isOpen onOpenChange={onClose} {...box}>
      <form
        noValidate
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && work?.isPending !== true) onSubmit();
        }}
      >
        {children}
        <FormError work={work} />
        <DialogActions>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" variant="primary" disabled={!isReady} isPending={work?.isPending ?? false}>
            {action ?? t("save")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
