"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Link } from "@/components/ui/link.tsx";
import { parseTime } from "@/lib/format.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

/** Join tokens that can still be used. */
export function JoinTokensPanel(): ReactNode {
  const t = useTranslations("settings.join");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.hosts.joinTokens.list.queryOptions());
  return (
    <RowPanel
      title={t("title")}
      query={query}
      empty={
        <>
          <p>{t("empty")}</p>
          <p>{t("body")}</p>
        </>
      }
      actions={
        <Button asChild size="sm">
          <Link href="/hosts?add=1">
            <Plus />
            {t("add")}
          </Link>
        </Button>
      }
      render={(token) => {
        const expires = parseTime(token.expiresAt);
        return {
          id: token.id,
          name: token.name ?? t("unnamed"),
          detail: (
            <>
              {t("uses", { left: token.usesLeft, uses: token.uses })}
              {expires === null ? null : <> · {t.rich("expires", { time: () => <TimeAgo time={expires} /> })}</>}
            </>
          ),
        };
      }}
      removal={{
        label: t("revoke"),
        title: () => t("revokeTitle"),
        body: t("revokeBody"),
        work: async ({ id }) => {
          await client.hosts.joinTokens.revoke.mutate({ id });
          await queryClient.invalidateQueries({ queryKey: trpc.hosts.joinTokens.pathKey() });
        },
      }}
    />
  );
}
