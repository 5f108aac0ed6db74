"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { errorMessage } from "@/trpc/client.ts";

/** `below`: what belongs to the row and is shown under it, over the whole width. */
export type PanelRow = { id: string; name: ReactNode; detail: ReactNode; action?: ReactNode; below?: ReactNode };

/** How a row is taken away: asked for first, and done by `work`, which also makes the list be read anew. */
export type Removal<Item> = {
  /** On the button; "Remove" where nothing is given. */
  label?: string;
  title: (item: Item) => string;
  body: ReactNode;
  /** A name that must be typed first: for what cannot be undone. */
  typed?: (item: Item) => string;
  work: (item: Item) => Promise<unknown>;
  /** Of the rows that cannot be removed: what is said instead of a button. */
  instead?: (item: Item) => ReactNode;
};

export type RowPanelProps<Item> = {
  title: string;
  query: { data: readonly Item[] | undefined; isPending: boolean; error: unknown; refetch: () => unknown };
  empty: ReactNode;
  render: (item: Item) => PanelRow;
  /** At the end of the title line: the button that makes another one. */
  actions?: ReactNode;
  removal?: Removal<Item>;
};

/** The one short list of the settings: a title, rows with what can be done to each, and their removal after a question. */
export function RowPanel<Item>({ title, query, empty, render, actions, removal }: RowPanelProps<Item>): ReactNode {
  const asked = useAsked(async (item: Item) => removal?.work(item));
  if (query.isPending) return <Skeleton className="h-40" />;
  if (query.data === undefined) return <ErrorState title={title} message={errorMessage(query.error)} onRetry={() => query.refetch()} />;
  return (
    <Panel title={title} actions={actions} isFlush>
      {query.data.length === 0 ? <div className="space-y-2 p-4 text-sm text-muted">{empty}</div> : null}
      <ul>
        {query.data.map((item) => (
          <Row key={render(item).id} row={render(item)}>
            {removal === undefined ? null : <RemovalButton removal={removal} item={item} onAsk={() => asked.ask(item)} />}
          </Row>
        ))}
      </ul>
      {removal === undefined ? null : (
        <ConfirmDialog
          isOpen={asked.subject !== null}
          onOpenChange={asked.close}
          title={asked.subject === null ? "" : removal.title(asked.subject)}
          body={<p>{removal.body}</p>}
          {...(removal.typed === undefined ? {} : { typeToConfirm: asked.subject === null ? "" : removal.typed(asked.subject) })}
          confirmLabel={<RemovalLabel removal={removal} />}
          isPending={asked.isPending}
          error={asked.error}
          onConfirm={asked.confirm}
        />
      )}
    </Panel>
  );
}

function Row({ row, children }: { row: PanelRow; children: ReactNode }): ReactNode {
  return (
    <li className="border-b px-4 py-2.5 last:border-b-0">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-56">
          <p className="text-sm font-medium break-words">{row.name}</p>
          <div className="text-xs break-words text-muted">{row.detail}</div>
        </div>
        <div className="flex flex-wrap items-center gap-2 empty:hidden">
          {row.action}
          {children}
        </div>
      </div>
      {row.below}
    </li>
  );
}

type RemovalButtonProps<Item> = { removal: Removal<Item>; item: Item; onAsk: () => void };

function RemovalButton<Item>({ removal, item, onAsk }: RemovalButtonProps<Item>): ReactNode {
  const instead = removal.instead?.(item);
  if (instead === null) return null;
  if (instead !== undefined) {
    return (
      <span className="grid text-center text-xs text-muted">
        <span className="col-start-1 row-start-1">{instead}</span>
        {/* As wide as the button that it stands for: what is before it stays in line with the other rows. */}
        <span aria-hidden className="invisible col-start-1 row-start-1 border px-2 font-medium max-sm:hidden">
          <RemovalLabel removal={removal} />
        </span>
      </span>
    );
  }
  return (
    <Button size="sm" variant="dangerOutline" onClick={onAsk}>
      <RemovalLabel removal={removal} />
    </Button>
  );
}

function RemovalLabel<Item>({ removal }: { removal: Removal<Item> }): ReactNode {
  const t = useTranslations("common");
  return removal.label ?? t("remove");
}
