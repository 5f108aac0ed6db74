"use client";

import dynamic from "next/dynamic";
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useCallback, useState } from "react";
import { useTranslations } from "use-intl";
import { ListPage, listWords } from "@/components/frame/list-page.tsx";
import { hostHref, useHostColumns } from "@/components/hosts/host-columns.tsx";
import { RemoveHostDialog, RenameHostDialog } from "@/components/hosts/host-dialogs.tsx";
import { Button } from "@/components/ui/button.tsx";
import { useMay } from "@/components/may.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { HostRow } from "@/trpc/types.ts";

const AddHostDrawer = dynamic(() => import("@/components/hosts/add-host-drawer.tsx").then((found) => found.AddHostDrawer), { ssr: false });

export function HostList(): ReactNode {
  const t = useTranslations("hosts");
  const trpc = useTRPC();
  const url = useUrlState();
  const isManager = useMay()("host.manage");
  const query = useQuery(trpc.hosts.list.queryOptions());
  const [dialog, setDialog] = useState<{ kind: "rename" | "remove"; host: HostRow } | null>(null);
  const onRename = useCallback((host: HostRow) => setDialog({ kind: "rename", host }), []);
  const onRemove = useCallback((host: HostRow) => setDialog({ kind: "remove", host }), []);
  const columns = useHostColumns(onRename, onRemove);
  const add = isManager ? (
    <Button variant="outline" onClick={() => url.set({ add: "1" })}>
      <Plus />
      {t("add.action")}
    </Button>
  ) : null;

  return (
    <ListPage
      words={listWords(t)}
      query={query}
      rows={query.data}
      textOf={textOf}
      columns={columns}
      rowId={rowId}
      href={hostHref}
      initialSort={{ id: "name", isDescending: false }}
      actions={add}
    >
      {isManager && url.get("add") === "1" ? <AddHostDrawer isOpen onClose={() => url.set({ add: null })} /> : null}
      {dialog?.kind === "rename" ? <RenameHostDialog host={dialog.host} onClose={() => setDialog(null)} /> : null}
      {dialog?.kind === "remove" ? <RemoveHostDialog host={dialog.host} onClose={() => setDialog(null)} /> : null}
    </ListPage>
  );
}

const rowId = (host: HostRow): string => host.id;
const textOf = (host: HostRow): string => `${host.name} ${host.state} ${host.os ?? ""} ${host.address ?? ""}`;
