"use client";

import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { HostMenu } from "@/components/hosts/host-menu.tsx";
import type { Column } from "@/components/table/columns.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Meter } from "@/components/ui/meter.tsx";
import { Badge, Status } from "@/components/ui/status-dot.tsx";
import { formatBytes, formatPercent, parseTime } from "@/lib/format.ts";
import { hostHref } from "@/lib/host-href.ts";
import { availabilityTone, hostTone, percentOf } from "@/lib/host-state.ts";
import type { HostRow } from "@/trpc/types.ts";

export { hostHref };

export function useHostColumns(onRename: (host: HostRow) => void, onRemove: (host: HostRow) => void): Column<HostRow>[] {
  const t = useTranslations("hosts.columns");
  return useMemo(() => {
    const meter = (id: "memory" | "disk", used: (row: HostRow) => readonly [number, number] | null): Column<HostRow> => ({
      id,
      header: t(id),
      width: "minmax(0,1.2fr)",
      hideBelow: id === "memory" ? "md" : "lg",
      sortBy: (row) => percentOf(...(used(row) ?? [0, 0])),
      cell: (row) => {
        const pair = used(row);
        if (pair === null) return <Unknown />;
        return (
          <div title={`${formatBytes(pair[0])} / ${formatBytes(pair[1])}`}>
            <Meter percent={percentOf(...pair)} label={t(id)} text={formatPercent(Math.round(percentOf(...pair)))} />
          </div>
        );
      },
    });
    return [
      { id: "name", header: t("name"), width: "minmax(0,1.8fr)", sortBy: (row) => row.name, cell: (row) => <NameCell host={row} /> },
      { id: "state", header: t("state"), width: "minmax(0,1.1fr)", sortBy: (row) => row.state, cell: (row) => <StateCell host={row} /> },
      {
        id: "cpu",
        header: t("cpu"),
        width: "minmax(0,1.2fr)",
        hideBelow: "md",
        sortBy: (row) => row.stats?.cpuPercent ?? -1,
        cell: (row) =>
          row.stats === null ? (
            <Unknown />
          ) : (
            <Meter percent={row.stats.cpuPercent} label={t("cpu")} text={formatPercent(Math.round(row.stats.cpuPercent))} />
          ),
      },
      meter("memory", ({ stats }) => (stats === null ? null : [stats.memoryUsedBytes, stats.memoryTotalBytes])),
      meter("disk", ({ stats }) => (stats === null ? null : [stats.diskUsedBytes, stats.diskTotalBytes])),
      {
        id: "containers",
        header: t("containers"),
        width: "5.5rem",
        hideBelow: "sm",
        isRight: true,
        sortBy: (row) => row.stats?.containersRunning ?? -1,
        cell: (row) =>
          row.stats === null ? (
            <Unknown />
          ) : (
            <span className="tnum">
              {row.stats.containersRunning}
              <span className="text-muted"> / {row.stats.containersTotal}</span>
            </span>
          ),
      },
      {
        id: "version",
        header: t("version"),
        width: "5rem",
        hideBelow: "xl",
        sortBy: (row) => row.version ?? "",
        cell: (row) => <span className="text-muted">{row.version ?? "–"}</span>,
      },
      {
        id: "menu",
        header: "",
        width: "2rem",
        isRight: true,
        cell: (row) => <HostMenu host={row} onRename={() => onRename(row)} onRemove={() => onRemove(row)} />,
      },
    ];
  }, [t, onRename, onRemove]);
}

function Unknown(): ReactNode {
  return <span className="text-faint">–</span>;
}

function NameCell({ host }: { host: HostRow }): ReactNode {
  const t = useTranslations("hosts");
  return (
    <div className="min-w-0">
      <span className="flex items-center gap-2">
        <Link href={hostHref(host)} className="truncate font-medium hover:underline">
          {host.name}
        </Link>
        {host.isLocal ? <Badge>{t("thisMachine")}</Badge> : null}
        {host.availability === "active" ? null : (
          <Badge tone={availabilityTone(host.availability)}>{t(`availability.${host.availability}`)}</Badge>
        )}
      </span>
      <span className="block truncate text-xs text-muted">{[host.os, host.architecture].filter((text) => Boolean(text)).join(" · ")}</span>
    </div>
  );
}

function StateCell({ host }: { host: HostRow }): ReactNode {
  const t = useTranslations("hosts.states");
  const seen = parseTime(host.lastSeenAt);
  return (
    <div className="min-w-0">
      <Status tone={hostTone(host.state)}>{t(host.state)}</Status>
      {host.state === "offline" && seen !== null ? <TimeAgo time={seen} className="block truncate pl-4 text-xs text-muted" /> : null}
    </div>
  );
}
