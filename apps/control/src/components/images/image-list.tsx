"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Play, Trash2, Upload } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import { UploadDialog } from "@/components/images/upload-dialog.tsx";
import type { Column } from "@/components/table/columns.ts";
import { DataTable } from "@/components/table/data-table.tsx";
import { TableSkeleton } from "@/components/table/table-skeleton.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { formatBytes, shortId } from "@/lib/format.ts";
import { imageHref, imageLabel, imageNames } from "@/lib/image-row.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { ImageRow } from "@/trpc/types.ts";

const NO_ROWS: readonly ImageRow[] = [];

/** Images over all hosts, with the upload. */
export function ImageList(): ReactNode {
  return <ImageTable />;
}

export function ImageTable({ host }: { host?: string }): ReactNode {
  const t = useTranslations("images");
  const trpc = useTRPC();
  const url = useUrlState();
  const queryClient = useQueryClient();
  const client = useTRPCClient();
  const query = useQuery(trpc.images.list.queryOptions(host === undefined ? {} : { host }));
  const removal = useAsked(async (image: ImageRow) => {
    // With one name the name goes, and the image with its last name; an image of several names is removed by its id.
    const names = imageNames(image);
    await client.images.remove.mutate({ host: image.host.name, id: image.Id, force: names.length > 1 });
    await queryClient.invalidateQueries({ queryKey: trpc.images.pathKey() });
  });
  const columns = useImageColumns(removal.ask, host === undefined);
  const text = url.get("q") ?? "";
  const all = query.data?.items ?? NO_ROWS;
  const rows = useMemo(() => {
    const wanted = text.toLowerCase();
    return all.filter((image) => `${image.RepoTags.join(" ")} ${image.Id} ${image.host.name}`.toLowerCase().includes(wanted));
  }, [all, text]);
  const upload = (
    <Button onClick={() => url.set({ upload: "1" })}>
      <Upload />
      {t("upload.action")}
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
              {upload}
            </EmptyState>
          ) : (
            <>
              <div className="flex flex-wrap items-center gap-2">
                <SearchField label={t("filter")} value={text} onChange={(q) => url.set({ q })} className="min-w-0 flex-1 sm:max-w-72" />
                <span className="ml-auto">{upload}</span>
              </div>
              <DataTable
                label={t("title")}
                rows={rows}
                columns={columns}
                rowId={(row) => `${row.host.id}/${row.Id}`}
                href={imageHref}
                initialSort={{ id: "name", isDescending: false }}
              />
            </>
          )}
        </>
      )}
      <UploadDialog
        isOpen={url.get("upload") === "1"}
        onClose={() => url.set({ upload: null })}
        {...(host === undefined ? {} : { host })}
      />
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("remove.title", { name: removal.subject === null ? "" : imageLabel(removal.subject) })}
        body={<p>{t("remove.body", { host: removal.subject?.host.name ?? "" })}</p>}
        confirmLabel={t("remove.action")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </div>
  );
}

function useImageColumns(onRemove: (image: ImageRow) => void, withHost: boolean): Column<ImageRow>[] {
  const t = useTranslations("images");
  return useMemo(() => {
    const host: Column<ImageRow> = {
      id: "host",
      header: t("columns.host"),
      width: "minmax(0,1fr)",
      hideBelow: "sm",
      sortBy: (row) => row.host.name,
      cell: (row) => <span className="block truncate text-muted">{row.host.name}</span>,
    };
    return [
      { id: "name", header: t("columns.name"), width: "minmax(0,2.5fr)", sortBy: imageLabel, cell: (row) => <NameCell image={row} /> },
      ...(withHost ? [host] : []),
      {
        id: "size",
        header: t("columns.size"),
        width: "5.5rem",
        isRight: true,
        sortBy: (row) => row.Size,
        cell: (row) => <span className="tnum">{formatBytes(row.Size)}</span>,
      },
      {
        id: "created",
        header: t("columns.created"),
        width: "8rem",
        hideBelow: "md",
        sortBy: (row) => row.Created,
        cell: (row) =>
          row.Created > 0 ? <TimeAgo time={row.Created * 1000} className="text-muted" /> : <span className="text-faint">–</span>,
      },
      {
        id: "actions",
        header: "",
        width: "4.25rem",
        isRight: true,
        cell: (row) => (
          <span className="flex justify-end">
            <Button asChild variant="ghost" size="icon">
              <Link
                href={`/run?host=${encodeURIComponent(row.host.name)}&image=${encodeURIComponent(imageLabel(row))}`}
                aria-label={t("run", { name: imageLabel(row) })}
                title={t("run", { name: imageLabel(row) })}
              >
                <Play />
              </Link>
            </Button>
            <Button variant="ghost" size="icon" aria-label={t("remove.label", { name: imageLabel(row) })} onClick={() => onRemove(row)}>
              <Trash2 />
            </Button>
          </span>
        ),
      },
    ];
  }, [t, onRemove, withHost]);
}

function NameCell({ image }: { image: ImageRow }): ReactNode {
  const t = useTranslations("images");
  const names = imageNames(image);
  return (
    <div className="min-w-0">
      <Link href={imageHref(image)} className="block truncate font-medium hover:underline" title={names.join(", ")}>
        {names[0] ?? t("untagged")}
        {names.length > 1 ? <span className="font-normal text-muted"> +{names.length - 1}</span> : null}
      </Link>
      <code className="block truncate font-mono text-xs text-muted">{shortId(image.Id)}</code>
    </div>
  );
}
