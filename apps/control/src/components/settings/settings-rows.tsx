"use client";

import type { ReactNode } from "react";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";

export type SettingsRow = { id: string; name: ReactNode; detail: ReactNode; action: ReactNode };

export type SettingsRowsProps<Item> = {
  title: string;
  query: { data: Item[] | undefined; isPending: boolean; error: { message: string } | null; refetch: () => unknown };
  empty: string;
  render: (item: Item) => SettingsRow;
};

/** A short list with one action for each row: tokens, members. */
export function SettingsRows<Item>({ title, query, empty, render }: SettingsRowsProps<Item>): ReactNode {
  if (query.isPending) return <Skeleton className="h-40" />;
  if (query.error !== null) return <ErrorState title={title} message={query.error.message} onRetry={() => query.refetch()} />;
  const rows = (query.data ?? []).map(render);
  return (
    <Panel title={title} isFlush>
      {rows.length === 0 ? <p className="p-4 text-sm text-muted">{empty}</p> : null}
      <ul>
        {rows.map((row) => (
          <li key={row.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b px-4 py-2.5 last:border-b-0">
            <div className="min-w-0">
              <p className="text-sm font-medium break-words">{row.name}</p>
              <p className="text-xs break-words text-muted">{row.detail}</p>
            </div>
            {row.action}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
