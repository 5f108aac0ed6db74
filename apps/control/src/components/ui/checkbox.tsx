import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn.ts";

export type CheckboxProps = Omit<ComponentProps<"input">, "type"> & { isIndeterminate?: boolean };

export function Checkbox({ className, isIndeterminate = false, ...props }: CheckboxProps): ReactNode {
  return (
    <input
      type="checkbox"
      ref={(element) => {
        if (element !== null) element.indeterminate = isIndeterminate;
      }}
      className={cn("block size-3.5 shrink-0 cursor-pointer accent-inverse", className)}
      {...props}
    />
  );
}

export type CheckFieldProps = CheckboxProps & { label: ReactNode; hint?: ReactNode };

/** A checkbox with its sentence; the whole of it can be clicked. */
export function CheckField({ label, hint, ...props }: CheckFieldProps): ReactNode {
  return (
    <label className="flex cursor-pointer items-start gap-2 text-sm">
      <Checkbox className="mt-[3px]" {...props} />
      <span className="min-w-0">
        {label}
        {hint === undefined ? null : <span className="block text-xs text-muted">{hint}</span>}
      </span>
    </label>
  );
}
