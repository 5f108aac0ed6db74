"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useState } from "react";
import { useTranslations } from "use-intl";
import { BulkBar } from "@/components/containers/bulk-bar.tsx";
import { ConfirmActionDialog } from "@/components/containers/confirm-action-dialog.tsx";
import { ContainerFilters } from "@/components/containers/container-filters.tsx";
import { ContainersEmpty } from "@/components/containers/containers-empty.tsx";
import { useContainerColumns } from "@/components/containers/container-columns.tsx";
import { RemoveContainersDialog } from "@/components/containers/remove-containers-dialog.tsx";
import { useContainerActions } from "@/components/containers/use-container-actions.ts";
import { ListPage, listWords } from "@/components/frame/list-page.tsx";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import { useMay } from "@/components/may.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { containerHref, containerKey, containerName, containerText, isInState, STATE_FILTERS } from "@/lib/container-row.ts";
import { type ContainerAction, isInterrupting } from "@/lib/container-state.ts";
import { oneOf } from "@/lib/url-state.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { ContainerRow } from "@/trpc/types.ts";

const NO_ROWS: readonly ContainerRow[] = [];

/** Containers over all hosts, or of one. */
export function ContainerList({ host }: { host?: string }): ReactNode {
  const t = useTranslations("containers");
  const trpc = useTRPC();
  const url = useUrlState();
  const query = useQuery(trpc.containers.list.queryOptions(host === undefined ? {} : { host }));
  const may = useMay();
  const actions = useContainerActions();
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
  const state = oneOf(url.get("state"), STATE_FILTERS);
  const hostFilter = host === undefined ? (url.get("host") ?? "") : "";
  const isShown = useCallback(
    (row: ContainerRow) => (hostFilter === "" || row.host.name === hostFilter) && isInState(row, state),
    [hostFilter, state],
  );
  return (
    <ListPage
      words={listWords(t)}
      query={query}
      rows={query.data?.items}
      textOf={containerText}
      filters={{
        isShown,
        clear: () => url.set({ state: null, host: null }),
        bar: <ContainerFilters rows={all} state={state} host={hostFilter} withHost={host === undefined} onChange={url.set} />,
      }}
      columns={columns}
      rowId={containerKey}
      href={containerHref}
      initialSort={{ id: "name", isDescending: false }}
      notice={<HostErrors errors={query.data?.errors ?? []} />}
      empty={<ContainersEmpty {...(host === undefined ? {} : { host })} />}
      bulk={
        may("container.control", host) || may("container.remove", host)
          ? (chosen, clear) => <BulkBar rows={chosen} onAction={onAction} onRemove={setToRemove} onClear={clear} />
          : undefined
      }
    >
      {asked === null ? null : (
        <ConfirmActionDialog
          names={asked.rows.map(containerName)}
          action={asked.action}
          onClose={() => setAsked(null)}
          onConfirm={() => act(asked.rows, asked.action)}
        />
      )}
      <RemoveContainersDialog rows={toRemove} remove={actions.remove} onClose={() => setToRemove(NO_ROWS)} />
    </ListPage>
  );
}
