"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import { CreateNetworkDialog } from "@/components/networks/create-network-dialog.tsx";
import { useNetworkColumns } from "@/components/networks/network-columns.tsx";
import { DataTable } from "@/components/table/data-table.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { type NetworkRow, toNetworkRows } from "@/lib/network-row.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

/** Networks over all hosts: those that span them and those of each. */
export function NetworkTable(): ReactNode {
  const t = useTranslations("networks");
  const trpc = useTRPC();
  const query = useQuery(trpc.networks.list.queryOptions({}));
  const { data: containers } = useQuery(trpc.containers.list.queryOptions({}));
  const [isCreating, setCreating] = useState(false);
  const all = useMemo(
    () => (query.data === undefined ? undefined : toNetworkRows(query.data, containers?.items ?? [])),
    [query.data, containers],
  );
  const create = (
    <Button onClick={() => setCreating(true)}>
      <Plus />
      {t("create.action")}
    </Button>
  );
  return (
    <div className="space-y-3">
      {query.isPending ? <TableSkeleton /> : null}
      {query.isError ? (
        <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      ) : null}
      {query.data === undefined || all === undefined ? null : (
        <>
          <HostErrors errors={query.data.errors} />
          <Rows all={all} create={create} />
        </>
      )}
      {isCreating ? <CreateNetworkDialog onClose={() => setCreating(false)} /> : null}
    </div>
  );
}

function Rows({ all, create }: { all: readonly NetworkRow[]; create: ReactNode }): ReactNode {
  const t = useTranslations("networks");
  const url = useUrlState();
  const removal = useRemoval();
  const columns = useNetworkColumns(removal.ask);
  const text = url.get("q") ?? "";
  const withPredefined = url.get("all") === "1";
  const hasOwn = all.some((row) => !row.isPredefined);
  const rows = useMemo(() => {
    const wanted = text.toLowerCase();
    return all
      .filter((row) => withPredefined || !row.isPredefined)
      .filter((row) => `${row.name} ${row.driver} ${row.host ?? ""} ${row.subnet}`.toLowerCase().includes(wanted));
  }, [all, text, withPredefined]);
  return (
    <>
      {!hasOwn && !withPredefined ? (
        <EmptyState title={t("emptyTitle")} body={t("emptyBody")}>
          <Command text="docker network create -d overlay web" />
          {create}
        </EmptyState>
      ) : null}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        {hasOwn ? (
          <SearchField
            label={t("filter")}
            value={text}
            onChange={(q) => url.set({ q })}
            className="min-w-0 flex-1 max-sm:basis-full sm:max-w-72"
          />
        ) : null}
        <CheckField
          label={t("withPredefined")}
          checked={withPredefined}
          onChange={(event) => url.set({ all: event.target.checked ? "1" : null })}
        />
        {hasOwn || withPredefined ? <span className="ml-auto">{create}</span> : null}
      </div>
      {rows.length === 0 && !hasOwn ? null : (
        <DataTable
          label={t("title")}
          rows={rows}
          columns={columns}
          rowId={(row) => row.key}
          href={(row) => row.href}
          initialSort={{ id: "name", isDescending: false }}
        />
      )}
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("remove.title", { name: removal.subject?.name ?? "" })}
        body={<p>{removal.subject?.host === null ? t("remove.bodyAll") : t("remove.body", { host: removal.subject?.host ?? "" })}</p>}
        confirmLabel={t("remove.action")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </>
  );
}

function useRemoval() {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  return useAsked(async (row: NetworkRow) => {
    await client.networks.remove.mutate(row.ref);
    await queryClient.invalidateQueries({ queryKey: trpc.networks.pathKey() });
  });
}
