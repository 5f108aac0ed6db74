"use client";

import { useQuery } from "@tanstack/react-query";
import { FilePlus2, Plus, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import type { FileKind } from "@/components/files/file-dialog.tsx";
import { ListPage } from "@/components/frame/list-page.tsx";
import { UsersCell } from "@/components/table/shared-columns.tsx";
import type { Column } from "@/components/table/columns.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { May, useMay } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Tooltip } from "@/components/ui/tooltip.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { stackHref } from "@/lib/stack-href.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { FileRow } from "@/trpc/types.ts";

const FileDialog = dynamic(() => import("@/components/files/file-dialog.tsx").then((found) => found.FileDialog), { ssr: false });

/** Secrets or configs of the team: versions and who mounts them, never what is in them. */
export function FileList({ kind }: { kind: FileKind }): ReactNode {
  const t = useTranslations(`files.${kind}`);
  const files = useTranslations("files");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const query = useQuery((kind === "secrets" ? trpc.secrets : trpc.configs).list.queryOptions());
  const [edited, setEdited] = useState<FileRow | "new" | null>(null);
  const removal = useAsked((file: FileRow) => client[kind].remove.mutate({ name: file.name }).then(() => query.refetch()));
  const may = useMay()(RIGHT_TO_CHANGE[kind]);
  const columns = useColumns(may ? setEdited : undefined, removal.ask);
  const add = (
    <May right={RIGHT_TO_CHANGE[kind]}>
      <Button onClick={() => setEdited("new")}>
        <Plus />
        {t("new")}
      </Button>
    </May>
  );
  const removed = removal.subject;
  return (
    <ListPage
      words={{
        title: files(`tabs.${kind}`),
        filter: files("filter"),
        loadFailed: files("loadFailed"),
        emptyTitle: t("emptyTitle"),
        emptyBody: t("emptyBody"),
      }}
      query={query}
      rows={query.data}
      textOf={nameOf}
      columns={columns}
      rowId={rowId}
      initialSort={{ id: "name", isDescending: false }}
      actions={add}
    >
      {edited === null ? null : (
        <FileDialog
          kind={kind}
          file={edited === "new" ? null : edited}
          taken={(query.data ?? []).map(({ name }) => name)}
          onClose={() => setEdited(null)}
        />
      )}
      <ConfirmDialog
        isOpen={removed !== null}
        onOpenChange={removal.close}
        title={files("remove.title", { name: removed?.name ?? "" })}
        body={<p>{files("remove.body", { count: removed?.versions ?? 0 })}</p>}
        typeToConfirm={removed?.name ?? ""}
        confirmLabel={files("remove.action")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </ListPage>
  );
}

const RIGHT_TO_CHANGE = { secrets: "secret.change", configs: "config.change" } as const;
const rowId = (file: FileRow): string => file.id;
const nameOf = (file: FileRow): string => file.name;

function useColumns(onEdit: ((file: FileRow) => void) | undefined, onRemove: (file: FileRow) => void): Column<FileRow>[] {
  const t = useTranslations("files");
  return useMemo(
    () => [
      {
        id: "name",
        header: t("columns.name"),
        width: "minmax(0,1.5fr)",
        sortBy: (row) => row.name,
        cell: (row) => <span className="block truncate font-medium">{row.name}</span>,
      },
      {
        id: "version",
        header: t("columns.version"),
        width: "4.5rem",
        hideBelow: "sm",
        isRight: true,
        sortBy: (row) => row.versions,
        cell: (row) => <span className="tnum">{row.versions}</span>,
      },
      {
        id: "size",
        header: t("columns.size"),
        width: "6rem",
        hideBelow: "md",
        isRight: true,
        sortBy: (row) => row.sizeBytes,
        cell: (row) => <span className="tnum text-muted">{formatBytes(row.sizeBytes)}</span>,
      },
      {
        id: "updated",
        header: t("columns.updated"),
        width: "minmax(0,1fr)",
        hideBelow: "sm",
        sortBy: (row) => row.updatedAt,
        cell: (row) => <TimeAgo time={parseTime(row.updatedAt) ?? 0} className="block truncate text-muted" />,
      },
      {
        id: "users",
        header: t("columns.users"),
        width: "minmax(0,1.5fr)",
        sortBy: (row) => row.usedBy.length,
        cell: (row) => <UsersCell users={row.usedBy.map(toUser)} unused={t("unused")} />,
      },
      ...(onEdit === undefined
        ? []
        : [
            {
              id: "actions",
              header: "",
              width: "4.5rem",
              isRight: true,
              cell: (row: FileRow) => <ActionsCell file={row} onEdit={onEdit} onRemove={onRemove} />,
            },
          ]),
    ],
    [t, onEdit, onRemove],
  );
}

function toUser({ stack, service }: FileRow["usedBy"][number]): { name: string; href: string } {
  return { name: `${stack}/${service}`, href: stackHref({ name: stack }) };
}

type ActionsProps = { file: FileRow; onEdit: (file: FileRow) => void; onRemove: (file: FileRow) => void };

function ActionsCell({ file, onEdit, onRemove }: ActionsProps): ReactNode {
  const t = useTranslations("files");
  return (
    <span className="flex justify-end">
      <Tooltip text={t("newVersion")}>
        <Button variant="ghost" size="icon" aria-label={t("newVersionOf", { name: file.name })} onClick={() => onEdit(file)}>
          <FilePlus2 />
        </Button>
      </Tooltip>
      <Button variant="ghost" size="icon" aria-label={t("remove.label", { name: file.name })} onClick={() => onRemove(file)}>
        <Trash2 />
      </Button>
    </span>
  );
}
