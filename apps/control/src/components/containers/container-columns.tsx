"use client";

import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ContainerMenu } from "@/components/containers/container-menu.tsx";
import type { Column } from "@/components/table/columns.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Badge, Status } from "@/components/ui/status-dot.tsx";
import { containerHref, containerKey, containerName, rowTone } from "@/lib/container-row.ts";
import { type ContainerAction, healthFromStatus } from "@/lib/container-state.ts";
import { portLabels } from "@/lib/ports.ts";
import type { ContainerRow } from "@/trpc/types.ts";

export type ContainerColumnsInput = {
  /** Keys of containers that something is being done to. */
  pending: ReadonlySet<string>;
  onAction: (rows: readonly ContainerRow[], action: ContainerAction) => void;
  onRemove: (row: ContainerRow) => void;
  withHost: boolean;
};

/** The columns of a list of containers. On a phone a row is name, state and menu; the image is under the name. */
export function useContainerColumns({ pending, onAction, onRemove, withHost }: ContainerColumnsInput): Column<ContainerRow>[] {
  const t = useTranslations("containers.columns");
  return useMemo(() => {
    const host: Column<ContainerRow> = {
      id: "host",
      header: t("host"),
      width: "minmax(0,1fr)",
      hideBelow: "sm",
      sortBy: (row) => row.host.name,
      cell: (row) => (
        <Link href={`/hosts/${encodeURIComponent(row.host.name)}`} className="truncate text-muted hover:text-ink hover:underline">
          {row.host.name}
        </Link>
      ),
    };
    const columns: Column<ContainerRow>[] = [
      { id: "name", header: t("name"), width: "minmax(0,2fr)", sortBy: containerName, cell: (row) => <NameCell row={row} /> },
      {
        id: "state",
        header: t("state"),
        width: "minmax(0,1.3fr)",
        sortBy: (row) => `${row.State} ${row.Status}`,
        cell: (row) => <StateCell row={row} />,
      },
      ...(withHost ? [host] : []),
      { id: "ports", header: t("ports"), width: "minmax(0,1.3fr)", hideBelow: "lg", cell: (row) => <PortsCell row={row} /> },
      {
        id: "created",
        header: t("created"),
        width: "7rem",
        hideBelow: "xl",
        sortBy: (row) => row.Created,
        cell: (row) => <TimeAgo time={row.Created * 1000} className="text-muted" />,
      },
      {
        id: "menu",
        header: "",
        width: "2rem",
        isRight: true,
        cell: (row) => (
          <ContainerMenu
            row={row}
            isPending={pending.has(containerKey(row))}
            onAction={(action) => onAction([row], action)}
            onRemove={() => onRemove(row)}
          />
        ),
      },
    ];
    return columns;
  }, [t, pending, onAction, onRemove, withHost]);
}

function NameCell({ row }: { row: ContainerRow }): ReactNode {
  return (
    <div className="min-w-0">
      <Link href={containerHref(row)} className="block truncate font-medium hover:underline">
        {containerName(row)}
      </Link>
      <span className="block truncate text-xs text-muted" title={row.Image}>
        {row.Image}
      </span>
    </div>
  );
}

function StateCell({ row }: { row: ContainerRow }): ReactNode {
  const t = useTranslations("state");
  const health = healthFromStatus(row.Status);
  return (
    <div className="min-w-0">
      <Status tone={rowTone(row)} className="max-w-full">
        {t.has(row.State as "running") ? t(row.State as "running") : row.State}
        {health === "unhealthy" ? ` · ${t("unhealthy")}` : null}
      </Status>
      <span className="block truncate pl-4 text-xs text-muted max-sm:hidden">{row.Status}</span>
    </div>
  );
}

function PortsCell({ row }: { row: ContainerRow }): ReactNode {
  const labels = portLabels(row.Ports);
  if (labels.length === 0) return <span className="text-faint">–</span>;
  return (
    <span className="flex min-w-0 gap-1" title={labels.join(", ")}>
      {labels.slice(0, 2).map((label) => (
        <Badge key={label} className="tnum truncate font-normal">
          {label}
        </Badge>
      ))}
      {labels.length > 2 ? <span className="text-xs text-muted">+{labels.length - 2}</span> : null}
    </span>
  );
}
