"use client";

import dynamic from "next/dynamic";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { ListPage, listWords } from "@/components/frame/list-page.tsx";
import { HostErrors } from "@/components/hosts/host-errors.tsx";
import { useNetworkColumns } from "@/components/networks/network-columns.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { type NetworkRow, toNetworkRows } from "@/lib/network-row.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

const CreateNetworkDialog = dynamic(
  () => import("@/components/networks/create-network-dialog.tsx").then((found) => found.CreateNetworkDialog),
  { ssr: false },
);

/** Networks over all hosts: those that span them and those of each. */
export function NetworkTable(): ReactNode {
  const t = useTranslations("networks");
  const trpc = useTRPC();
  const url = useUrlState();
  const query = useQuery(trpc.networks.list.queryOptions({}));
  const { data: containers } = useQuery(trpc.containers.list.queryOptions({}));
  const [isCreating, setCreating] = useState(false);
  const removal = useRemoval();
  const columns = useNetworkColumns(removal.ask);
  const withPredefined = url.get("all") === "1";
  const rows = useMemo(() => {
    if (query.data === undefined) return undefined;
    const all = toNetworkRows(query.data, containers?.items ?? []);
    return withPredefined ? all : all.filter((row) => !row.isPredefined);
  }, [query.data, containers, withPredefined]);
  return (
    <ListPage
      words={listWords(t)}
      query={query}
      rows={rows}
      textOf={textOf}
      columns={columns}
      rowId={keyOf}
      href={hrefOf}
      initialSort={{ id: "name", isDescending: false }}
      notice={<HostErrors errors={query.data?.errors ?? []} />}
      actions={
        <>
          <CheckField
            label={t("withPredefined")}
            checked={withPredefined}
            onChange={(event) => url.set({ all: event.target.checked ? "1" : null })}
          />
          <May right="network.change">
            <Button onClick={() => setCreating(true)}>
              <Plus />
              {t("create.action")}
            </Button>
          </May>
        </>
      }
      empty={
        <May right="network.change">
          <Command text="docker network create -d overlay web" />
        </May>
      }
    >
      {isCreating ? <CreateNetworkDialog onClose={() => setCreating(false)} /> : null}
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("remove.title", { name: removal.subject?.name ?? "" })}
        body={<p>{removal.subject?.host === null ? t("remove.bodyAll") : t("remove.body", { host: removal.subject?.host ?? "" })}</p>}
        confirmLabel={t("remove.action")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </ListPage>
  );
}

const keyOf = (row: NetworkRow): string => row.key;
const hrefOf = (row: NetworkRow): string => row.href;
const textOf = (row: NetworkRow): string => `${row.name} ${row.driver} ${row.host ?? ""} ${row.subnet}`;

function useRemoval() {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  return useAsked(async (row: NetworkRow) => {
    await client.networks.remove.mutate(row.ref);
    await queryClient.invalidateQueries({ queryKey: trpc.networks.pathKey() });
  });
}
