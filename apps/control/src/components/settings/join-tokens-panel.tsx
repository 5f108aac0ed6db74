"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { SettingsRows } from "@/components/settings/settings-rows.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { parseTime } from "@/lib/format.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

/** Join tokens that can still be used. */
export function JoinTokensPanel(): ReactNode {
  const t = useTranslations("settings.join");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.hosts.joinTokens.list.queryOptions());
  const revoking = useAsked(async (token: { id: string }) => {
    await client.hosts.joinTokens.revoke.mutate({ id: token.id });
    await queryClient.invalidateQueries({ queryKey: trpc.hosts.joinTokens.pathKey() });
  });
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="text-sm text-muted">{t("body")}</p>
        <Button asChild>
          <Link href="/hosts?add=1">
            <Plus />
            {t("add")}
          </Link>
        </Button>
      </div>
      <SettingsRows
        title={t("title")}
        query={query}
        empty={t("empty")}
        render={(token) => {
          const expires = parseTime(token.expiresAt);
          return {
            id: token.id,
            name: token.name ?? t("unnamed"),
            detail: (
              <>
                {t("uses", { left: token.usesLeft, uses: token.uses })}
                {expires === null ? null : (
                  <>
                    {" · "}
                    {t.rich("expires", { time: () => <TimeAgo time={expires} /> })}
                  </>
                )}
              </>
            ),
            action: (
              <Button size="sm" variant="dangerOutline" onClick={() => revoking.ask(token)}>
                {t("revoke")}
              </Button>
            ),
          };
        }}
      />
      <ConfirmDialog
        isOpen={revoking.subject !== null}
        onOpenChange={revoking.close}
        title={t("revokeTitle")}
        body={<p>{t("revokeBody")}</p>}
        confirmLabel={t("revoke")}
        isPending={revoking.isPending}
        error={revoking.error}
        onConfirm={revoking.confirm}
      />
    </div>
  );
}
