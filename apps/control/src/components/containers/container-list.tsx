"use client";

import { useQuery } from "@tanstack/react-query";
import type { RowSelectionState } from "@tanstack/react-table";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { BulkBar } from "@/components/containers/bulk-bar.tsx";
import { ConfirmActionDialog } from "@/components/containers/confirm-action-dialog.tsx";
import { ContainerFilters } from "@/components/containers/container-filters.tsx";
import { ContainersEmpty } from "@/components/containers/containers-empty.tsx";
import { useContainerColumns } from "@/components/containers/container-columns.tsx";
import { RemoveContainersDialog } from "@/components/containers/remove-containers-dialog.tsx";
import { useContainerActions } from "@/components/containers/use-container-actions.ts";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import { DataTable } from "@/components/table/data-table.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { containerHref, containerKey, containerName, filterContainers, STATE_FILTERS } from "@/lib/container-row.ts";
import { type ContainerAction, isInterrupting } from "@/lib/container-state.ts";
import { oneOf } from "@/lib/url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { ContainerRow } from "@/trpc/types.ts";

const NO_ROWS: readonly ContainerRow[] = [];

/** Containers over all hosts, or of one. */
export function ContainerList({ host }: { host?: string }): ReactNode {
  const t = useTranslations("containers");
  const trpc = useTRPC();
  const url = useUrlState();
  const query = useQuery(trpc.containers.list.queryOptions(host === undefined ? {} : { host }));
  const actions = useContainerActions();
  const [selected, setSelected] = useState<RowSelectionState>({});
  const [toRemove, setToRemove] = useState<readonly ContainerRow[]>([]);
  const onRemove = useCallback((row: ContainerRow) => setToRemove([row]), []);
  const [asked, setAsked] = useState<{ rows: readonly ContainerRow[]; action: ContainerAction } | null>(null);
  const { act } = actions;
  const onAction = useCallback(
    (rows: readonly ContainerRow[], action: ContainerAction) => (isInterrupting(action) ? setAsked({ rows, action }) : act(rows, action)),
    [act],
  );
  const columns = useContainerColumns({ pending: actions.pending, onAction, onRemove, withHost: host === undefined });

  const all = query.data?.items ?? NO_ROWS;
  const text = url.get("q") ?? "";
  const state = oneOf(url.get("state"), STATE_FILTERS);
  const hostFilter = host === undefined ? (url.get("host") ?? "") : "";
  const rows = useMemo(() => filterContainers(all, { text, state, host: hostFilter }), [all, text, state, hostFilter]);
  const chosen = useMemo(() => rows.filter((row) => selected[containerKey(row)] === true), [rows, selected]);

  if (query.isPending) return <TableSkeleton rows={8} />;
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  return (
    <div className="space-y-3">
      <HostErrors errors={query.data.errors} />
      {all.length === 0 ? (
        <ContainersEmpty {...(host === undefined ? {} : { host })} />
      ) : (
        <>
          <ContainerFilters
            rows={all}
            shown={rows.length}
            filter={{ text, state, host: hostFilter }}
            withHost={host === undefined}
            onChange={url.set}
          />
          {rows.length === 0 ? (
            <EmptyState title={t("noMatch")} body={t("noMatchBody")} />
          ) : (
            <DataTable
              label={t("title")}
              rows={rows}
              columns={columns}
              rowId={containerKey}
              href={containerHref}
              initialSort={{ id: "name", isDescending: false }}
              selection={{ selected, setSelected }}
            />
          )}
        </>
      )}
      <BulkBar rows={chosen} onAction={onAction} onRemove={setToRemove} onClear={() => setSelected({})} />
      {asked === null ? null : (
        <ConfirmActionDialog
          names={asked.rows.map(containerName)}
          action={asked.action}
          onClose={() => setAsked(null)}
          onConfirm={() => act(asked.rows, asked.action)}
        />
      )}
      <RemoveContainersDialog
        rows={toRemove}
        remove={actions.remove}
        onClose={(wasRemoved) => {
          if (wasRemoved) setSelected({});
          setToRemove(NO_ROWS);
        }}
      />
    </div>
  );
}
