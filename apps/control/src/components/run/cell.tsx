"use client";

import type { ComponentProps, ReactNode } from "react";
import { useFormContext } from "react-hook-form";
import { type TextName, useFieldError } from "@/components/run/form-field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { cn } from "@/lib/cn.ts";
import type { RunForm } from "@/lib/run-form.ts";

export type CellProps = Omit<ComponentProps<typeof Input>, "name"> & { name: TextName; label: string };

/** A field in a row: its label is for screen readers, its error stands below it. */
export function Cell({ name, label, className, ...props }: CellProps): ReactNode {
  const { register } = useFormContext<RunForm>();
  const error = useFieldError(name);
  return (
    <div className={cn("min-w-0", className)}>
      <Input aria-label={label} aria-invalid={error !== undefined} {...register(name)} {...props} />
      {error === undefined ? null : (
        <p role="alert" className="mt-1 text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}
