"use client";

import { Unplug } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useQueryClient } from "@tanstack/react-query";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

export type MemberRow = {
  host: string;
  containerId: string;
  containerName: string;
  address: string;
  address6: string | null;
  aliases: readonly string[];
};

/** The containers on a network, each with its addresses and the names it is found by. */
export function NetworkMembers({ network, members }: { network: string; members: readonly MemberRow[] }): ReactNode {
  const t = useTranslations("network");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const leaving = useAsked(async (member: MemberRow) => {
    await client.networks.disconnect.mutate({ host: member.host, network, container: member.containerId });
    await queryClient.invalidateQueries({ queryKey: trpc.networks.pathKey() });
  });
  if (members.length === 0) return <p className="p-4 text-sm text-muted">{t("noMembers")}</p>;
  return (
    <>
      <ul className="divide-y">
        {members.map((member) => (
          <li key={`${member.host}/${member.containerId}`} className="flex items-center gap-3 px-4 py-2 text-sm">
            <div className="grid min-w-0 flex-1 gap-x-4 sm:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)_minmax(0,1.2fr)] sm:items-center">
              <Link
                href={`/containers/${encodeURIComponent(member.host)}/${encodeURIComponent(member.containerName)}`}
                className="truncate font-medium hover:underline"
              >
                {member.containerName}
              </Link>
              <span className="truncate font-mono text-xs">
                {member.address}
                {member.address6 === null ? null : <span className="block truncate text-muted">{member.address6}</span>}
              </span>
              <span className="truncate text-xs text-muted">{[member.host, ...member.aliases].join(" · ")}</span>
            </div>
            <May right="network.change" host={member.host}>
              <Button
                variant="ghost"
                size="icon"
                aria-label={t("leave.label", { name: member.containerName })}
                onClick={() => leaving.ask(member)}
              >
                <Unplug />
              </Button>
            </May>
          </li>
        ))}
      </ul>
      <ConfirmDialog
        isOpen={leaving.subject !== null}
        onOpenChange={leaving.close}
        title={t("leave.title", { name: leaving.subject?.containerName ?? "" })}
        body={<p>{t("leave.body")}</p>}
        confirmLabel={t("leave.action")}
        isPending={leaving.isPending}
        error={leaving.error}
        onConfirm={leaving.confirm}
      />
    </>
  );
}
