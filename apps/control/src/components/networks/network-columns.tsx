"use client";

import { Trash2 } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import type { Column } from "@/components/table/columns.ts";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Meter } from "@/components/ui/meter.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { formatPercent } from "@/lib/format.ts";
import type { NetworkRow } from "@/lib/network-row.ts";

export function useNetworkColumns(onRemove: (row: NetworkRow) => void): Column<NetworkRow>[] {
  const t = useTranslations("networks");
  return useMemo(
    () => [
      { id: "name", header: t("columns.name"), width: "minmax(0,1.8fr)", sortBy: (row) => row.name, cell: (row) => <NameCell row={row} /> },
      {
        id: "where",
        header: t("columns.where"),
        width: "minmax(0,1fr)",
        hideBelow: "sm",
        sortBy: (row) => row.host ?? "",
        cell: (row) => <span className="block truncate text-muted">{row.host ?? t("allHosts")}</span>,
      },
      {
        id: "subnet",
        header: t("columns.subnet"),
        width: "minmax(0,1.2fr)",
        hideBelow: "md",
        sortBy: (row) => row.subnet,
        cell: (row) => <span className="block truncate font-mono text-xs">{row.subnet === "" ? "–" : row.subnet}</span>,
      },
      {
        id: "pool",
        header: t("columns.pool"),
        width: "minmax(0,1.1fr)",
        hideBelow: "lg",
        sortBy: (row) => (row.pool === null ? -1 : row.pool.leased / row.pool.total),
        cell: (row) => <PoolCell row={row} />,
      },
      {
        id: "members",
        header: t("columns.members"),
        width: "5.5rem",
        isRight: true,
        sortBy: (row) => row.members,
        cell: (row) => <span className="tnum">{row.members}</span>,
      },
      {
        id: "mtu",
        header: t("columns.mtu"),
        width: "4rem",
        hideBelow: "lg",
        isRight: true,
        sortBy: (row) => row.mtuBytes ?? 0,
        cell: (row) => <span className="tnum text-muted">{row.mtuBytes ?? "–"}</span>,
      },
      {
        id: "actions",
        header: "",
        width: "2rem",
        isRight: true,
        cell: (row) =>
          row.isPredefined ? null : (
            <May right="network.remove" host={row.host ?? undefined}>
              <Button
                variant="ghost"
                size="icon"
                aria-label={t("remove.label", { name: row.name })}
                title={row.members > 0 ? t("inUse") : undefined}
                disabled={row.members > 0}
                onClick={() => onRemove(row)}
              >
                <Trash2 />
              </Button>
            </May>
          ),
      },
    ],
    [t, onRemove],
  );
}

function NameCell({ row }: { row: NetworkRow }): ReactNode {
  const t = useTranslations("networks");
  return (
    <div className="min-w-0">
      <span className="flex min-w-0 items-center gap-2">
        <Link href={row.href} className="truncate font-medium hover:underline">
          {row.name}
        </Link>
        {row.problems > 0 ? <Badge tone="bad">{t("problems", { count: row.problems })}</Badge> : null}
        {row.isInternal ? <Badge className="max-sm:hidden">{t("internal")}</Badge> : null}
      </span>
      <span className="block truncate text-xs text-muted">
        {row.driver}
        <span className="sm:hidden"> · {row.host ?? t("allHosts")}</span>
      </span>
    </div>
  );
}

function PoolCell({ row }: { row: NetworkRow }): ReactNode {
  const t = useTranslations("networks");
  if (row.pool === null) return <span className="text-faint">–</span>;
  const percent = (100 * row.pool.leased) / row.pool.total;
  return (
    <div title={t("poolTitle", row.pool)}>
      <Meter percent={percent} label={t("columns.pool")} text={formatPercent(Math.round(percent))} />
    </div>
  );
}
