import type { ReactNode } from "react";

export function Kbd({ children }: { children: ReactNode }): ReactNode {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line-strong bg-panel px-1 font-sans text-[11px] text-muted">
      {children}
    </kbd>
  );
}
