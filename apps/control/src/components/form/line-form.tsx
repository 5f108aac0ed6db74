import type { ReactNode } from "react";
import { FormError, type Work } from "@/components/form/form-error.tsx";
import { Button, type ButtonProps } from "@/components/ui/button.tsx";

export type LineFormProps = {
  action: ReactNode;
  variant?: ButtonProps["variant"];
  isReady: boolean;
  onSubmit: () => void;
  work: Work;
  children: ReactNode;
};

/** A form of few fields in a line with its button, and why it was refused below. Wraps on a phone. */
export function LineForm({ action, variant = "primary", isReady, onSubmit, work, children }: LineFormProps): ReactNode {
  return (
    <form
      noValidate
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !work.isPending) onSubmit();
      }}
    >
      <div className="flex flex-wrap items-end gap-2">
        {children}
        <Button type="submit" variant={variant} disabled={!isReady} isPending={work.isPending}>
          {action}
        </Button>
      </div>
      <FormError work={work} />
    </form>
  );
}
