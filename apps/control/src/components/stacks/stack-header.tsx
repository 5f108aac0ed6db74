"use client";

import { EllipsisVertical, Pencil, Scale, Trash2, Undo2 } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { DetailHeader } from "@/components/frame/detail-page.tsx";
import { RebalanceDialog } from "@/components/stacks/rebalance-dialog.tsx";
import { StackStatus } from "@/components/stacks/signs.tsx";
import { May, useMay } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { notify } from "@/lib/notify.ts";
import { deployHref } from "@/lib/stack-href.ts";
import { useTRPCClient } from "@/trpc/client.ts";
import type { StackDetails } from "@/trpc/types.ts";

/** Name, state and what may be done to a stack as a whole. */
export function StackHeader({ stack }: { stack: StackDetails }): ReactNode {
  const t = useTranslations("stacks.stack");
  const client = useTRPCClient();
  const router = useRouter();
  const may = useMay();
  const hasMenu = may("stack.control") || may("stack.remove");
  const [isRebalancing, setRebalancing] = useState(false);
  const before = stack.revisions.find(({ number }) => number < stack.revision);
  const rollback = useAsked(async (revision: number) => {
    await client.stacks.rollback.mutate({ stack: stack.name, revision });
    notify("success", t("rollback.done", { name: stack.name, revision }));
  });
  const removal = useAsked(async (name: string) => {
    await client.stacks.remove.mutate({ stack: name });
    notify("success", t("remove.done", { name }));
    router.push("/stacks");
  });
  return (
    <>
      <DetailHeader
        title={stack.name}
        status={<StackStatus state={stack.state} />}
        facts={[t("replicas", { running: stack.running, wanted: stack.wanted }), t("revision", { number: stack.revision })]}
        actions={
          stack.isRemoving ? undefined : (
            <>
              <May right="stack.deploy">
                <Button asChild>
                  <Link href={deployHref(stack.name)}>
                    <Pencil />
                    {t("edit")}
                  </Link>
                </Button>
              </May>
              {before === undefined ? null : (
                <May right="stack.deploy">
                  <Button onClick={() => rollback.ask(before.number)}>
                    <Undo2 />
                    {t("rollback.action")}
                  </Button>
                </May>
              )}
              {!hasMenu ? null : (
                <Menu
                  label={stack.name}
                  trigger={
                    <Button variant="ghost" size="icon" aria-label={t("menu", { name: stack.name })}>
                      <EllipsisVertical />
                    </Button>
                  }
                >
                  <May right="stack.control">
                    <MenuItem onSelect={() => setRebalancing(true)}>
                      <Scale />
                      {t("rebalance.action")}
                    </MenuItem>
                    <MenuSeparator />
                  </May>
                  <May right="stack.remove">
                    <MenuItem isDanger onSelect={() => removal.ask(stack.name)}>
                      <Trash2 />
                      {t("remove.action")}
                    </MenuItem>
                  </May>
                </Menu>
              )}
            </>
          )
        }
      />
      {isRebalancing ? <RebalanceDialog stack={stack.name} onClose={() => setRebalancing(false)} /> : null}
      <ConfirmDialog
        isOpen={rollback.subject !== null}
        onOpenChange={rollback.close}
        title={t("rollback.title", { name: stack.name, revision: rollback.subject ?? 0 })}
        body={<p>{t("rollback.body", { revision: rollback.subject ?? 0, current: stack.revision })}</p>}
        confirmLabel={t("rollback.action")}
        isPending={rollback.isPending}
        error={rollback.error}
        onConfirm={rollback.confirm}
      />
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("remove.title", { name: stack.name })}
        body={<p>{t("remove.body", { count: stack.running })}</p>}
        typeToConfirm={stack.name}
        confirmLabel={t("remove.action")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </>
  );
}
