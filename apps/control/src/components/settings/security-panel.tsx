"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { TwoFactorPanel } from "@/components/settings/two-factor-panel.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { parseTime } from "@/lib/format.ts";
import { notify } from "@/lib/notify.ts";
import { describeUserAgent } from "@/lib/user-agent.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** The second factor, and where one is signed in. */
export function SecurityPanel(): ReactNode {
  return (
    <div className="space-y-4">
      <TwoFactorPanel />
      <SessionsPanel />
    </div>
  );
}

function SessionsPanel(): ReactNode {
  const t = useTranslations("settings.sessions");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.sessions.list.queryOptions());
  const revoke = useMutation(
    trpc.sessions.revoke.mutationOptions({
      onSuccess: () => queryClient.invalidateQueries({ queryKey: trpc.sessions.pathKey() }),
      onError: (error) => notify("error", t("revokeFailed"), { description: errorMessage(error) }),
    }),
  );
  return (
    <RowPanel
      title={t("title")}
      query={query}
      empty={t("empty")}
      render={(session) => {
        const began = parseTime(session.createdAt);
        return {
          id: session.id,
          name: (
            <span className="inline-flex flex-wrap items-center gap-2">
              {describeUserAgent(session.userAgent) ?? t("unknown")}
              {session.isCurrent ? <Badge tone="ok">{t("current")}</Badge> : null}
            </span>
          ),
          detail: (
            <>
              {session.address ?? t("noAddress")} · {began === null ? null : t.rich("began", { time: () => <TimeAgo time={began} /> })}
            </>
          ),
          action: session.isCurrent ? null : (
            <Button
              size="sm"
              variant="dangerOutline"
              isPending={revoke.isPending && revoke.variables.id === session.id}
              onClick={() => revoke.mutate({ id: session.id })}
            >
              {t("revoke")}
            </Button>
          ),
        };
      }}
    />
  );
}
