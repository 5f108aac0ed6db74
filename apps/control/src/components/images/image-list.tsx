"use client";
import { useQuery } from "@tanstack/react-query";
import { Play, Trash2 } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { ListPage, listWords } from "@/components/frame/list-page.tsx";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import { ImageActions, ImageDialogs } from "@/components/images/image-actions.tsx";
import { RemoveImageDialog } from "@/components/images/remove-image-dialog.tsx";
import { hostColumn } from "@/components/table/shared-columns.tsx";
import type { Column } from "@/components/table/columns.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { formatBytes, parseTime, shortId } from "@/lib/format.ts";
import { containersHref, imageHref, imageLabel, imageNames, lastUsedOrder } from "@/lib/image-row.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { ImageRow } from "@/trpc/types.ts";

/** Images over all hosts, with the ways to bring more. */
export function ImageList(): ReactNode {
  return <ImageTable />;
}

export function ImageTable({ host }: { host?: string }): ReactNode {
  const t = useTranslations("images");
  const trpc = useTRPC();
  const query = useQuery(trpc.images.list.queryOptions(host === undefined ? {} : { host }));
  const [removed, setRemoved] = useState<ImageRow | null>(null);
  const columns = useImageColumns(setRemoved, host === undefined);
  return (
    <ListPage
      words={listWords(t)}
      query={query}
      rows={query.data?.items}
      textOf={textOf}
      columns={columns}
      rowId={rowId}
      href={imageHref}
      initialSort={{ id: "name", isDescending: false }}
      notice={<HostErrors errors={query.data?.errors ?? []} />}
      actions={<ImageActions {...(host === undefined ? {} : { host })} />}
    >
      <ImageDialogs {...(host === undefined ? {} : { host })} />
      <RemoveImageDialog image={removed} onClose={() => setRemoved(null)} />
    </ListPage>
  );
}

const rowId = (image: ImageRow): string => `${image.host.id}/${image.Id}`;
const textOf = (image: ImageRow): string => `${image.RepoTags.join(" ")} ${image.Id} ${image.host.name}`;

function useImageColumns(onRemove: (image: ImageRow) => void, withHost: boolean): Column<ImageRow>[] {
  const t = useTranslations("images");
  return useMemo(() => {
    return [
      { id: "name", header: t("columns.name"), width: "minmax(0,2.5fr)", sortBy: imageLabel, cell: (row) => <NameCell image={row} /> },
      ...(withHost ? [hostColumn<ImageRow>(t("columns.host"))] : []),
      {
        id: "usedBy",
        header: t("columns.usedBy"),
        width: "4.5rem",
        hideBelow: "md",
        sortBy: (row) => row.Containers,
        cell: (row) => <UsedByCell image={row} />,
      },
      {
        id: "lastUsed",
        header: t("columns.lastUsed"),
        width: "7.5rem",
        hideBelow: "md",
        sortBy: lastUsedOrder,
        cell: (row) => <LastUsedCell image={row} />,
      },
      {
        id: "created",
        header: t("columns.created"),
        width: "7.5rem",
        hideBelow: "lg",
        sortBy: (row) => row.Created,
        cell: (row) =>
          row.Created > 0 ? <TimeAgo time={row.Created * 1000} className="text-muted" /> : <span className="text-faint">–</span>,
      },
      {
        id: "size",
        header: t("columns.size"),
        width: "5.5rem",
        isRight: true,
        sortBy: (row) => row.Size,
        cell: (row) => <span className="tnum">{formatBytes(row.Size)}</span>,
      },
      {
        id: "actions",
        header: "",
        width: "4.25rem",
        isRight: true,
        cell: (row) => (
          <span className="flex justify-end">
            <May right="container.run" host={row.host.id}>
              <Button asChild variant="ghost" size="icon">
                <Link
                  href={`/run?host=${encodeURIComponent(row.host.name)}&image=${encodeURIComponent(imageLabel(row))}`}
                  aria-label={t("run", { name: imageLabel(row) })}
                  title={t("run", { name: imageLabel(row) })}
                >
                  <Play />
                </Link>
              </Button>
            </May>
            <May right="image.remove" host={row.host.id}>
              <Button variant="ghost" size="icon" aria-label={t("remove.label", { name: imageLabel(row) })} onClick={() => onRemove(row)}>
                <Trash2 />
              </Button>
            </May>
          </span>
        ),
      },
    ];
  }, [t, onRemove, withHost]);
}

/** Containers of the image on its host, running or not; opens the list of just those. */
function UsedByCell({ image }: { image: ImageRow }): ReactNode {
  const t = useTranslations("images");
  if (image.Containers <= 0) return <span className="tnum text-faint">{image.Containers === 0 ? "0" : "–"}</span>;
  return (
    <Link
      href={containersHref(image)}
      aria-label={t("usedBy", { count: image.Containers })}
      className="tnum underline decoration-line-strong underline-offset-2 hover:decoration-ink"
    >
      {image.Containers}
    </Link>
  );
}

function LastUsedCell({ image }: { image: ImageRow }): ReactNode {
  const t = useTranslations("images");
  const time = parseTime(image.lastUsedAt);
  if (time !== null) return <TimeAgo time={time} className="text-muted" />;
  if (image.isNeverUsed) return <span className="text-muted">{t("never")}</span>;
  return (
    <span className="text-faint" title={t("useNotKnown")}>
      – <span className="sr-only">{t("useNotKnown")}</span>
    </span>
  );
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
