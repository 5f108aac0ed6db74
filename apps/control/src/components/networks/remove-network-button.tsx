"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

export type RemoveNetworkButtonProps = { name: string; input: { network: string; host?: string }; isUsed: boolean; isSpanning?: boolean };

export function RemoveNetworkButton({ name, input, isUsed, isSpanning = false }: RemoveNetworkButtonProps): ReactNode {
  const t = useTranslations("networks");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const router = useRouter();
  const removal = useAsked(async (wanted: { network: string; host?: string }) => {
    await client.networks.remove.mutate(wanted);
    await queryClient.invalidateQueries({ queryKey: trpc.networks.list.queryKey() });
    router.push("/networks");
  });
  return (
    <>
      <May right="network.remove" host={input.host}>
        <Button variant="dangerOutline" disabled={isUsed} title={isUsed ? t("inUse") : undefined} onClick={() => removal.ask(input)}>
          <Trash2 />
          {t("remove.action")}
        </Button>
      </May>
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("remove.title", { name })}
        body={<p>{isSpanning ? t("remove.bodyAll") : t("remove.body", { host: input.host ?? "" })}</p>}
        confirmLabel={t("remove.action")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </>
  );
}
