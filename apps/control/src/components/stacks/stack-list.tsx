"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ListPage, listWords } from "@/components/frame/list-page.tsx";
import { OutsideProjects } from "@/components/stacks/outside-projects.tsx";
import { OutcomeStatus, StackStatus } from "@/components/stacks/signs.tsx";
import type { Column } from "@/components/table/columns.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { parseTime } from "@/lib/format.ts";
import { deploymentKind as kindOf } from "@/lib/stack-state.ts";
import { deployHref, stackHref } from "@/lib/stack-href.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { StackRow } from "@/trpc/types.ts";

/** The team's stacks: how many of their replicas run, where, and how the last deployment ended. */
export function StackList(): ReactNode {
  const t = useTranslations("stacks");
  const trpc = useTRPC();
  const query = useQuery(trpc.stacks.list.queryOptions());
  const columns = useColumns();
  return (
    <ListPage
      words={listWords(t)}
      query={query}
      rows={query.data}
      textOf={textOf}
      columns={columns}
      rowId={rowId}
      href={stackHref}
      initialSort={{ id: "name", isDescending: false }}
      actions={
        <May right="stack.deploy">
          <Button asChild>
            <Link href={deployHref()}>
              <Plus />
              {t("new")}
            </Link>
          </Button>
        </May>
      }
      empty={
        <May right="stack.deploy">
          <p className="text-xs text-muted">{t("emptyCommand")}</p>
          <Command text="flotilla stack deploy -c compose.yaml NAME" />
        </May>
      }
    >
      <May right="container.read">
        <OutsideProjects />
      </May>
    </ListPage>
  );
}

const rowId = (stack: StackRow): string => stack.id;
const textOf = (stack: StackRow): string => `${stack.name} ${stack.state} ${stack.hosts.join(" ")}`;

function useColumns(): Column<StackRow>[] {
  const t = useTranslations("stacks");
  return useMemo(
    () => [
      {
        id: "name",
        header: t("columns.name"),
        width: "minmax(0,1.6fr)",
        sortBy: (row) => row.name,
        cell: (row) => <NameCell stack={row} />,
      },
      {
        id: "state",
        header: t("columns.state"),
        width: "minmax(0,1fr)",
        sortBy: (row) => row.state,
        cell: (row) => <StackStatus state={row.state} />,
      },
      {
        id: "replicas",
        header: t("columns.replicas"),
        width: "5rem",
        isRight: true,
        sortBy: (row) => row.running,
        cell: (row) => (
          <span className="tnum">
            {row.running}
            <span className="text-muted"> / {row.wanted}</span>
          </span>
        ),
      },
      {
        id: "hosts",
        header: t("columns.hosts"),
        width: "minmax(0,1fr)",
        hideBelow: "md",
        sortBy: (row) => row.hosts.length,
        cell: (row) => <HostsCell hosts={row.hosts} />,
      },
      {
        id: "revision",
        header: t("columns.revision"),
        width: "5rem",
        hideBelow: "lg",
        isRight: true,
        sortBy: (row) => row.revision,
        cell: (row) => <span className="tnum">{row.revision}</span>,
      },
      {
        id: "last",
        header: t("columns.last"),
        width: "minmax(0,1.2fr)",
        hideBelow: "sm",
        sortBy: (row) => row.last?.startedAt ?? "",
        cell: (row) => <LastCell stack={row} />,
      },
    ],
    [t],
  );
}

function NameCell({ stack }: { stack: StackRow }): ReactNode {
  const t = useTranslations("stacks");
  return (
    <div className="min-w-0">
      <Link href={stackHref(stack)} className="block truncate font-medium hover:underline">
        {stack.name}
      </Link>
      <span className="block truncate text-xs text-muted">{t("serviceCount", { count: stack.services })}</span>
    </div>
  );
}

function HostsCell({ hosts }: { hosts: readonly string[] }): ReactNode {
  if (hosts.length === 0) return <span className="text-faint">–</span>;
  return (
    <span className="block truncate text-muted" title={hosts.join(", ")}>
      {hosts.join(", ")}
    </span>
  );
}

function LastCell({ stack }: { stack: StackRow }): ReactNode {
  const t = useTranslations("stacks.kinds");
  const { last } = stack;
  const started = parseTime(last?.startedAt);
  if (last === null || started === null) return <span className="text-faint">–</span>;
  return (
    <div className="min-w-0">
      <OutcomeStatus outcome={last.outcome} />
      <span className="block truncate pl-4 text-xs text-muted">
        {t(kindOf(last.kind))} · <TimeAgo time={started} />
      </span>
    </div>
  );
}
