"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { CopyButton } from "@/components/ui/copy-button.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { useMe } from "@/components/use-me.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** Whether the audit's hash chain is whole, when an administrator of the instance asks: all of it is walked. */
export function ChainState(): ReactNode {
  const isInstanceAdmin = useMe()?.user.isInstanceAdmin === true;
  return isInstanceAdmin ? <Chain /> : null;
}

function Chain(): ReactNode {
  const t = useTranslations("activity.chain");
  const trpc = useTRPC();
  const [noted, setNoted] = useState("");
  const head = noted.trim();
  const isHead = head === "" || /^\d{1,18}:[0-9a-f]{64}$/.test(head);
  const query = useQuery(trpc.activity.verify.queryOptions(head === "" ? {} : { head }, { enabled: false, retry: false }));
  const { data, error } = query;
  return (
    <section aria-label={t("title")} className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border bg-panel px-4 py-2 text-sm">
      <div className="min-w-0 flex-1 basis-64">
        {error !== null ? (
          <p className="break-words text-bad">{errorMessage(error)}</p>
        ) : data === undefined ? (
          <p className="text-muted">{t("body")}</p>
        ) : data.fault === null ? (
          <div className="flex min-w-0 flex-wrap items-center gap-x-3">
            <Status tone="ok">{t("whole", { count: data.sealCount })}</Status>
            <span className="flex min-w-0 items-center gap-1 text-xs text-muted">
              <code className="truncate font-mono" title={`${data.head.seq}:${data.head.hash}`}>
                {`${data.head.seq}:${data.head.hash.slice(0, 16)}…`}
              </code>
              <CopyButton text={`${data.head.seq}:${data.head.hash}`} />
            </span>
          </div>
        ) : (
          <Status tone="bad">
            {data.fault.reason === "head" ? t("lost") : t("broken", { row: data.fault.rowId, reason: data.fault.reason })}
          </Status>
        )}
      </div>
      <Input
        aria-label={t("noted")}
        aria-invalid={!isHead}
        placeholder={t("noted")}
        className="w-full font-mono text-xs sm:w-64"
        value={noted}
        onChange={(event) => setNoted(event.target.value)}
      />
      <Button isPending={query.isFetching} disabled={!isHead} onClick={() => void query.refetch()}>
        {t("verify")}
      </Button>
    </section>
  );
}
