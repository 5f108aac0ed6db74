"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { ShownOnce } from "@/components/form/shown-once.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Dialog } from "@/components/ui/dialog.tsx";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { notify } from "@/lib/notify.ts";
import type { WebhookRow } from "@/lib/webhook-form.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

const WebhookDialog = dynamic(() => import("@/components/settings/webhook-dialog.tsx").then((found) => found.WebhookDialog), {
  ssr: false,
});
const Deliveries = dynamic(() => import("@/components/settings/webhook-deliveries.tsx").then((found) => found.WebhookDeliveries), {
  ssr: false,
});

type Secret = { name: string; secret: string };

/** Where the team is told of events, what was sent, and whether it arrived. */
export function WebhooksPanel(): ReactNode {
  const t = useTranslations("settings.webhooks");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.webhooks.list.queryOptions());
  const [edited, setEdited] = useState<WebhookRow | "new" | null>(null);
  const [looked, setLooked] = useState<WebhookRow | null>(null);
  const [secret, setSecret] = useState<Secret | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.webhooks.pathKey() });
  return (
    <>
      <RowPanel
        title={t("title")}
        query={query}
        empty={t("empty")}
        actions={
          <Button size="sm" onClick={() => setEdited("new")}>
            <Plus />
            {t("create")}
          </Button>
        }
        render={(webhook) => ({
          id: webhook.id,
          name: (
            <span className="inline-flex flex-wrap items-center gap-2">
              {webhook.name}
              {webhook.isEnabled ? null : <Badge tone="warn">{t("off")}</Badge>}
            </span>
          ),
          detail: (
            <>
              <span className="block font-mono break-all">{webhook.url}</span>
              {webhook.events.join(", ")}
            </>
          ),
          action: (
            <>
              <Button size="sm" onClick={() => setLooked(webhook)}>
                {t("deliveries")}
              </Button>
              <WebhookMenu webhook={webhook} onChanged={refresh} onEdit={() => setEdited(webhook)} onSecret={setSecret} />
            </>
          ),
        })}
        removal={{
          title: ({ name }) => t("removeTitle", { name }),
          body: t("removeBody"),
          work: async ({ id }) => {
            await client.webhooks.remove.mutate({ id });
            await refresh();
          },
        }}
      />
      {edited === null ? null : (
        <WebhookDialog
          webhook={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={async (made) => {
            if (made !== null) setSecret(made);
            await refresh();
          }}
        />
      )}
      {looked === null ? null : <Deliveries webhook={looked} onClose={() => setLooked(null)} />}
      {secret === null ? null : (
        <Dialog isOpen onOpenChange={() => setSecret(null)} title={t("secretTitle", { name: secret.name })}>
          <ShownOnce note={t("secretOnce")} secret={secret.secret} />
        </Dialog>
      )}
    </>
  );
}

type WebhookMenuProps = {
  webhook: WebhookRow;
  onChanged: () => Promise<void>;
  onEdit: () => void;
  onSecret: (secret: Secret) => void;
};

function WebhookMenu({ webhook, onChanged, onEdit, onSecret }: WebhookMenuProps): ReactNode {
  const t = useTranslations("settings.webhooks");
  const client = useTRPCClient();
  const { id, name, isEnabled } = webhook;
  const act = useMutation({
    mutationFn: async (work: () => Promise<unknown>) => {
      await work();
      await onChanged();
    },
    onError: (error) => notify("error", t("failed", { name }), { description: errorMessage(error) }),
  });
  const rotating = useAsked(async () => {
    const { secret } = await client.webhooks.rotate.mutate({ id });
    onSecret({ name, secret });
  });
  const test = async (): Promise<void> => {
    await client.webhooks.test.mutate({ id });
    notify("success", t("tested"));
  };
  return (
    <>
      <Menu
        align="end"
        trigger={
          <Button size="sm" isPending={act.isPending} aria-label={t("menu", { name })}>
            {t("manage")}
          </Button>
        }
      >
        <MenuItem disabled={!isEnabled} onSelect={() => act.mutate(test)}>
          {t("test")}
        </MenuItem>
        <MenuItem onSelect={onEdit}>{t("edit")}</MenuItem>
        <MenuItem onSelect={() => act.mutate(() => client.webhooks.update.mutate({ id, isEnabled: !isEnabled }))}>
          {isEnabled ? t("disable") : t("enable")}
        </MenuItem>
        <MenuSeparator />
        <MenuItem onSelect={() => rotating.ask(webhook)}>{t("rotate")}</MenuItem>
      </Menu>
      <ConfirmDialog
        isOpen={rotating.subject !== null}
        onOpenChange={rotating.close}
        title={t("rotateTitle", { name })}
        body={<p>{t("rotateBody")}</p>}
        confirmLabel={t("rotate")}
        isPending={rotating.isPending}
        error={rotating.error}
        onConfirm={rotating.confirm}
      />
    </>
  );
}
