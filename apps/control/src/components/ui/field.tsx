import { type ReactNode, useId } from "react";
import { cn } from "@/lib/cn.ts";

export type FieldIds = { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean };

export type FieldProps = {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  className?: string;
  children: (ids: FieldIds) => ReactNode;
};

/** A label, a control and what is wrong with it, tied together for screen readers. */
export function Field({ label, hint, error, className, children }: FieldProps): ReactNode {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={cn("flex min-w-0 flex-col gap-1.5", className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": note === undefined ? undefined : `${id}-note`, "aria-invalid": error !== undefined })}
      {note === undefined ? null : (
        <p
          id={`${id}-note`}
          role={error === undefined ? undefined : "alert"}
          className={cn("text-xs", error === undefined ? "text-muted" : "text-bad")}
        >
          {note}
        </p>
      )}
    </div>
  );
}
