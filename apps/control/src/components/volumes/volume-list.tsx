"use client";
import dynamic from "next/dynamic";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { ListPage, listWords } from "@/components/frame/list-page.tsx";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import { hostColumn, UsersCell } from "@/components/table/shared-columns.tsx";
import type { Column } from "@/components/table/columns.ts";
import { Command } from "@/components/ui/copy-button.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { isAnonymous, usersByVolume, type VolumeUser, volumeHref, volumeKey } from "@/lib/volume-row.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { VolumeRow } from "@/trpc/types.ts";

const CreateVolumeDialog = dynamic(
  () => import("@/components/volumes/create-volume-dialog.tsx").then((found) => found.CreateVolumeDialog),
  { ssr: false },
);

/** Volumes over all hosts, with who uses them. */
export function VolumeList(): ReactNode {
  return <VolumeTable />;
}

export function VolumeTable({ host }: { host?: string }): ReactNode {
  const t = useTranslations("volumes");
  const trpc = useTRPC();
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
  const create = (
    <May right="volume.change" host={host}>
      <Button onClick={() => setCreating(true)}>
        <Plus />
        {t("create.action")}
      </Button>
    </May>
  );
  return (
    <ListPage
      words={listWords(t)}
      query={query}
      rows={query.data?.items}
      textOf={textOf}
      columns={columns}
      rowId={volumeKey}
      href={volumeHref}
      initialSort={{ id: "name", isDescending: false }}
      notice={<HostErrors errors={query.data?.errors ?? []} />}
      actions={create}
      empty={
        <May right="volume.change" host={host}>
          <Command text="docker volume create NAME" />
        </May>
      }
    >
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
    </ListPage>
  );
}

const textOf = (volume: VolumeRow): string => `${volume.Name} ${volume.host.name}`;

type VolumeColumnsInput = { users: ReadonlyMap<string, readonly VolumeUser[]>; onRemove: (volume: VolumeRow) => void; withHost: boolean };

function useVolumeColumns({ users, onRemove, withHost }: VolumeColumnsInput): Column<VolumeRow>[] {
  const t = useTranslations("volumes");
  return useMemo(() => {
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
      ...(withHost ? [hostColumn<VolumeRow>(t("columns.host"))] : []),
      {
        id: "users",
        header: t("columns.users"),
        width: "minmax(0,1.6fr)",
        sortBy: (row) => users.get(volumeKey(row))?.length ?? 0,
        cell: (row) => <UsersCell users={users.get(volumeKey(row)) ?? []} unused={t("unused")} />,
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
          <May right="volume.remove" host={row.host.id}>
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
          </May>
        ),
      },
    ];
  }, [t, users, onRemove, withHost]);
}
