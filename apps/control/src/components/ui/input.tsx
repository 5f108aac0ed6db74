import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn.ts";

const control =
  "w-full min-w-0 rounded-md border border-line-strong bg-panel px-2.5 text-sm text-ink transition-colors hover:border-faint focus-visible:outline-offset-0 disabled:opacity-60 aria-invalid:border-bad";

// 16 px on touch screens: below that iOS zooms the page when a field is focused.
export function Input({ className, ...props }: ComponentProps<"input">): ReactNode {
  return <input autoComplete="off" spellCheck={false} className={cn(control, "h-8 max-sm:text-[16px]", className)} {...props} />;
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">): ReactNode {
  return <textarea autoComplete="off" spellCheck={false} className={cn(control, "py-1.5 max-sm:text-[16px]", className)} {...props} />;
}

/** The browser's own select: works with every keyboard, screen reader and phone. */
export function NativeSelect({ className, children, ...props }: ComponentProps<"select">): ReactNode {
  return (
    <select className={cn(control, "h-8 cursor-pointer pr-7 max-sm:text-[16px]", className)} {...props}>
      {children}
    </select>
  );
}
