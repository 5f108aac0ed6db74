"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { TokenFacts } from "@/components/settings/token-facts.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

const TokenDialog = dynamic(() => import("@/components/settings/token-dialog.tsx").then((found) => found.TokenDialog), { ssr: false });

/** The reader's tokens for the docker command, scripts and CI, in the team that they act for. */
export function ApiTokensPanel(): ReactNode {
  const t = useTranslations("settings.tokens");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.tokens.list.queryOptions());
  const [isMaking, setMaking] = useState(false);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.tokens.pathKey() });
  return (
    <>
      <RowPanel
        title={t("title")}
        query={query}
        empty={
          <>
            <p>{t("empty")}</p>
            <Command text="flotilla token create --name NAME" />
          </>
        }
        actions={
          <Button size="sm" onClick={() => setMaking(true)}>
            <Plus />
            {t("create")}
          </Button>
        }
        render={(token) => ({ id: token.id, name: token.name, detail: <TokenFacts token={token} /> })}
        removal={{
          label: t("revoke"),
          title: ({ name }) => t("revokeTitle", { name }),
          body: t("revokeBody"),
          work: async ({ id }) => {
            await client.tokens.revoke.mutate({ id });
            await refresh();
          },
        }}
      />
      {isMaking ? (
        <TokenDialog
          title={t("create")}
          description={t("asYou")}
          onClose={() => setMaking(false)}
          make={async (wanted) => {
            const made = await client.tokens.create.mutate(wanted);
            await refresh();
            return made;
          }}
        />
      ) : null}
    </>
  );
}
