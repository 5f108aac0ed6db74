"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import type { Column } from "@/components/table/columns.ts";
import { DataTable } from "@/components/table/data-table.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { CreateVolumeDialog } from "@/components/volumes/create-volume-dialog.tsx";
import { isAnonymous, usersByVolume, type VolumeUser, volumeHref, volumeKey } from "@/lib/volume-row.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { VolumeRow } from "@/trpc/types.ts";

const NO_ROWS: readonly VolumeRow[] = [];

/** Volumes over all hosts, with who uses them. */
export function VolumeList(): ReactNode {
  return <VolumeTable />;
}

export function VolumeTable({ host }: { host?: string }): ReactNode {
  const t = useTranslations("volumes");
  const trpc = useTRPC();
  const url = useUrlState();
  const queryClient = useQueryClient();
  const client = useTRPCClient();
  const scope = host === undefined ? {} : { host };
  const query = useQuery(trpc.volumes.list.queryOptions(scope));
  const { data: containers } = useQuery(trpc.containers.list.queryOptions(scope));
  const users = useMemo(() => usersByVolume(containers?.items ?? []), [containers]);
  const [isCreating, setCreating] = useState(false);
  const removal = useAsked(async (volume: VolumeRow) => {
    await client.volumes.remove.mutate({ host: volume.host.name, name: volume.Name, force: false });
    await queryClient.invalidateQueries({ queryKey: trpc.volumes.pathKey() });
  });
  const columns = useVolumeColumns({ users, onRemove: removal.ask, withHost: host === undefined });
  const text = url.get("q") ?? "";
  const all = query.data?.items ?? NO_ROWS;
  const rows = useMemo(() => {
    const wanted = text.toLowerCase();
    return all.filter((volume) => `${volume.Name} ${volume.host.name}`.toLowerCase().includes(wanted));
  }, [all, text]);
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
      {query.data === undefined ? null : (
        <>
          <HostErrors errors={query.data.errors} />
          {all.length === 0 ? (
            <EmptyState title={t("emptyTitle")} body={t("emptyBody")}>
              {create}
            </EmptyState>
          ) : (
            <>
              <div className="flex flex-wrap items-center gap-2">
                <SearchField label={t("filter")} value={text} onChange={(q) => url.set({ q })} className="min-w-0 flex-1 sm:max-w-72" />
                <span className="ml-auto">{create}</span>
              </div>
              <DataTable
                label={t("title")}
                rows={rows}
                columns={columns}
                rowId={volumeKey}
                href={volumeHref}
                initialSort={{ id: "name", isDescending: false }}
              />
            </>
          )}
        </>
      )}
      {isCreating ? <CreateVolumeDialog host={host ?? ""} onClose={() => setCreating(false)} /> : null}
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("remove.title", { name: removal.subject?.Name.slice(0, 24) ?? "" })}
        body={<p>{t("remove.body", { host: removal.subject?.host.name ?? "" })}</p>}
        {...(removal.subject === null || isAnonymous(removal.subject.Name) ? {} : { typeToConfirm: removal.subject.Name })}
        confirmLabel={t("remove.action")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </div>
  );
}

type VolumeColumnsInput = { users: ReadonlyMap<string, readonly VolumeUser[]>; onRemove: (volume: VolumeRow) => void; withHost: boolean };

function useVolumeColumns({ users, onRemove, withHost }: VolumeColumnsInput): Column<VolumeRow>[] {
  const t = useTranslations("volumes");
  return useMemo(() => {
    const host: Column<VolumeRow> = {
      id: "host",
      header: t("columns.host"),
      width: "minmax(0,1fr)",
      hideBelow: "sm",
      sortBy: (row) => row.host.name,
      cell: (row) => <span className="block truncate text-muted">{row.host.name}</span>,
    };
    return [
      {
        id: "name",
        header: t("columns.name"),
        width: "minmax(0,2fr)",
        sortBy: (row) => row.Name,
        cell: (row) => (
          <span className="flex min-w-0 items-center gap-2">
            <Link
              href={volumeHref(row)}
              className={`truncate hover:underline ${isAnonymous(row.Name) ? "font-mono text-xs" : "font-medium"}`}
            >
              {isAnonymous(row.Name) ? row.Name.slice(0, 12) : row.Name}
            </Link>
            {isAnonymous(row.Name) ? <Badge className="max-sm:hidden">{t("anonymous")}</Badge> : null}
          </span>
        ),
      },
      ...(withHost ? [host] : []),
      {
        id: "users",
        header: t("columns.users"),
        width: "minmax(0,1.6fr)",
        sortBy: (row) => users.get(volumeKey(row))?.length ?? 0,
        cell: (row) => <UsersCell users={users.get(volumeKey(row)) ?? []} />,
      },
      {
        id: "driver",
        header: t("columns.driver"),
        width: "6rem",
        hideBelow: "lg",
        sortBy: (row) => row.Driver,
        cell: (row) => <span className="text-muted">{row.Driver}</span>,
      },
      {
        id: "actions",
        header: "",
        width: "2rem",
        isRight: true,
        cell: (row) => (
          <Button
            variant="ghost"
            size="icon"
            aria-label={t("remove.label", { name: row.Name })}
            title={(users.get(volumeKey(row))?.length ?? 0) > 0 ? t("inUse") : undefined}
            disabled={(users.get(volumeKey(row))?.length ?? 0) > 0}
            onClick={() => onRemove(row)}
          >
            <Trash2 />
          </Button>
        ),
      },
    ];
  }, [t, users, onRemove, withHost]);
}

function UsersCell({ users }: { users: readonly VolumeUser[] }): ReactNode {
  const t = useTranslations("volumes");
  const [first] = users;
  if (first === undefined) return <span className="text-muted">{t("unused")}</span>;
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <Link href={first.href} className="truncate hover:underline">
        {first.name}
      </Link>
      {users.length > 1 ? <span className="text-xs text-muted">+{users.length - 1}</span> : null}
    </span>
  );
}
