import type { ReactNode } from "react";

export type PageHeaderProps = { title: ReactNode; meta?: ReactNode; actions?: ReactNode };

/** The page's one first-level heading with its actions. */
export function PageHeader({ title, meta, actions }: PageHeaderProps): ReactNode {
  return (
    <header className="mb-4 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-2">
      <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
        <h1 className="min-w-0 text-lg font-semibold tracking-tight break-words">{title}</h1>
        {meta}
      </div>
      {actions === undefined ? null : <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}
