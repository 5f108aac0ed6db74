"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { AddHostDrawer } from "@/components/hosts/add-host-drawer.tsx";
import { hostHref, useHostColumns } from "@/components/hosts/host-columns.tsx";
import { RemoveHostDialog, RenameHostDialog } from "@/components/hosts/host-dialogs.tsx";
import { DataTable } from "@/components/table/data-table.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { Button } from "@/components/ui/button.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useMay } from "@/components/use-me.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { HostRow } from "@/trpc/types.ts";

export function HostList(): ReactNode {
  const t = useTranslations("hosts");
  const trpc = useTRPC();
  const url = useUrlState();
  const isManager = useMay("host.manage");
  const query = useQuery(trpc.hosts.list.queryOptions());
  const [dialog, setDialog] = useState<{ kind: "rename" | "remove"; host: HostRow } | null>(null);
  const onRename = useCallback((host: HostRow) => setDialog({ kind: "rename", host }), []);
  const onRemove = useCallback((host: HostRow) => setDialog({ kind: "remove", host }), []);
  const columns = useHostColumns(onRename, onRemove);
  const text = url.get("q") ?? "";
  const rows = useMemo(() => {
    const wanted = text.toLowerCase();
    return (query.data ?? []).filter((host) => `${host.name} ${host.os ?? ""} ${host.address ?? ""}`.toLowerCase().includes(wanted));
  }, [query.data, text]);
  const add = isManager ? (
    <Button variant="outline" onClick={() => url.set({ add: "1" })}>
      <Plus />
      {t("add.action")}
    </Button>
  ) : null;

  return (
    <div className="space-y-3">
      {query.isPending ? <TableSkeleton /> : null}
      {query.isError ? (
        <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      ) : null}
      {query.data === undefined ? null : query.data.length === 0 ? (
        <EmptyState title={t("emptyTitle")} body={t("emptyBody")}>
          {add}
        </EmptyState>
      ) : (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <SearchField label={t("filter")} value={text} onChange={(q) => url.set({ q })} className="min-w-0 flex-1 sm:max-w-60" />
            <div className="ml-auto">{add}</div>
          </div>
          <DataTable
            label={t("title")}
            rows={rows}
            columns={columns}
            rowId={(row) => row.id}
            href={hostHref}
            initialSort={{ id: "name", isDescending: false }}
          />
        </>
      )}
      {isManager ? <AddHostDrawer isOpen={url.get("add") === "1"} onClose={() => url.set({ add: null })} /> : null}
      {dialog?.kind === "rename" ? <RenameHostDialog host={dialog.host} onClose={() => setDialog(null)} /> : null}
      {dialog?.kind === "remove" ? <RemoveHostDialog host={dialog.host} onClose={() => setDialog(null)} /> : null}
    </div>
  );
}
