"use client";

import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ListPage, listWords } from "@/components/frame/list-page.tsx";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import type { Column } from "@/components/table/columns.ts";
import { cn } from "@/lib/cn.ts";
import { publishedUrl } from "@/lib/ports.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { PortRow } from "@/trpc/types.ts";

const rowKey = (row: PortRow): string =>
  `${row.host?.id ?? ""} ${row.address} ${row.port} ${row.protocol} ${row.containerId ?? `${row.stack}/${row.service}`}`;

/** What is published where, over all hosts. */
export function PortsPanel(): ReactNode {
  const t = useTranslations("ports");
  const trpc = useTRPC();
  const query = useQuery(trpc.networks.ports.queryOptions({}));
  const columns = useColumns();
  return (
    <ListPage
      words={listWords(t)}
      query={query}
      rows={query.data?.items}
      textOf={textOf}
      columns={columns}
      rowId={rowKey}
      initialSort={{ id: "port", isDescending: false }}
      notice={<HostErrors errors={query.data?.errors ?? []} />}
    />
  );
}

const textOf = ({ host, address, port, protocol, container, stack, service }: PortRow): string =>
  `${port}/${protocol} ${address} ${host?.name ?? ""} ${container ?? ""} ${stack ?? ""} ${service ?? ""}`;

function useColumns(): Column<PortRow>[] {
  const t = useTranslations("ports");
  return useMemo(
    () => [
      {
        id: "port",
        header: t("columns.port"),
        width: "minmax(5rem,0.7fr)",
        sortBy: (row) => row.port,
        cell: (row) => <PortCell row={row} />,
      },
      {
        id: "host",
        header: t("columns.host"),
        width: "minmax(0,1fr)",
        sortBy: (row) => row.host?.name ?? "",
        cell: (row) => <span className={cn("block truncate", row.host === null && "text-muted")}>{row.host?.name ?? t("everyHost")}</span>,
      },
      {
        id: "address",
        header: t("columns.address"),
        width: "minmax(0,1.1fr)",
        hideBelow: "md",
        sortBy: (row) => row.address,
        cell: (row) => <AddressCell row={row} />,
      },
      {
        id: "container",
        header: t("columns.container"),
        width: "minmax(0,1.6fr)",
        sortBy: (row) => row.container ?? row.service ?? "",
        cell: (row) => <ContainerCell row={row} />,
      },
      {
        id: "target",
        header: t("columns.target"),
        width: "6rem",
        hideBelow: "sm",
        isRight: true,
        sortBy: (row) => row.containerPort,
        cell: (row) => <span className="tnum text-muted">{row.containerPort}</span>,
      },
    ],
    [t],
  );
}

/** The number, and for what a browser can open a link to where it is. */
function PortCell({ row }: { row: PortRow }): ReactNode {
  const t = useTranslations("ports");
  const text = `${row.port}/${row.protocol}`;
  const href =
    row.protocol !== "tcp" || row.reachableAt === null
      ? null
      : publishedUrl({ address: row.address, port: String(row.port) }, row.reachableAt);
  if (href === null) return <span className="tnum font-medium">{text}</span>;
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      aria-label={t("open", { url: href })}
      className="tnum inline-flex items-center gap-1 font-medium hover:underline"
    >
      {text}
      <ExternalLink aria-hidden className="size-3 text-faint" />
    </a>
  );
}

function AddressCell({ row }: { row: PortRow }): ReactNode {
  const t = useTranslations("ports");
  const isAny = row.address === "" || row.address === "0.0.0.0" || row.address === "::";
  return isAny ? (
    <span className="block truncate text-muted">{t("everyAddress")}</span>
  ) : (
    <span className="block truncate font-mono text-xs">{row.address}</span>
  );
}

/** The container, or for a port of every host the service that answers. */
function ContainerCell({ row }: { row: PortRow }): ReactNode {
  const t = useTranslations("ports");
  const { host, container } = row;
  const service = [row.stack, row.service].filter((text) => text !== null).join(" / ");
  if (host === null || container === null) {
    return (
      <div className="min-w-0">
        <span className="block truncate font-medium">{service}</span>
        <span className={cn("block truncate text-xs", row.isRunning ? "text-muted" : "text-bad")}>
          {row.isRunning ? t("service") : t("nobodyServes")}
        </span>
      </div>
    );
  }
  return (
    <div className="min-w-0">
      <Link
        href={`/containers/${encodeURIComponent(host.name)}/${encodeURIComponent(container)}`}
        className="block truncate font-medium hover:underline"
      >
        {container}
      </Link>
      {service === "" ? null : <span className="block truncate text-xs text-muted">{service}</span>}
    </div>
  );
}
