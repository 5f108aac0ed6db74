"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Meter } from "@/components/ui/meter.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState } from "@/components/ui/states.tsx";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { CleanupRow } from "@/trpc/types.ts";

/** While a clean-up runs its progress is asked for this often; nothing is asked when none runs. */
const PROGRESS_MS = 1_000;

/** What a clean-up would free, a button for it, and how far it is. */
export function CleanupPanel(): ReactNode {
  const t = useTranslations("registry.cleanup");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const status = useQuery(
    trpc.registry.cleanup.status.queryOptions(undefined, { refetchInterval: ({ state }) => (isRunning(state.data) ? PROGRESS_MS : false) }),
  );
  const preview = useQuery(trpc.registry.cleanup.preview.queryOptions());
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.registry.pathKey() });
  const start = useMutation(trpc.registry.cleanup.start.mutationOptions({ onSuccess: refresh }));
  const running = isRunning(status.data);
  const finishedAt = status.data?.finishedAt;
  // What it freed shows in every number of the registry.
  useEffect(() => {
    if (finishedAt !== null && finishedAt !== undefined) void queryClient.invalidateQueries({ queryKey: trpc.registry.usage.pathKey() });
    void queryClient.invalidateQueries({ queryKey: trpc.registry.cleanup.preview.queryKey() });
  }, [finishedAt, queryClient, trpc]);
  const error = start.error ?? status.error ?? preview.error;
  return (
    <Panel
      title={t("title")}
      actions={
        <Button size="sm" onClick={() => start.mutate()} disabled={running} isPending={start.isPending}>
          {t("start")}
        </Button>
      }
    >
      <p className="max-w-2xl text-sm text-muted">{t("body")}</p>
      {preview.data === undefined ? null : (
        <p className="mt-3 text-sm">
          {t("preview", { count: preview.data.blobs, size: formatBytes(preview.data.bytes) })}
          {preview.data.leasedBytes > 0 ? (
            <span className="text-muted"> {t("leased", { size: formatBytes(preview.data.leasedBytes) })}</span>
          ) : null}
        </p>
      )}
      {status.data === null || status.data === undefined ? null : <Run run={status.data} />}
      {error === null ? null : (
        <div className="mt-3">
          <ErrorState title={t("title")} message={errorMessage(error)} />
        </div>
      )}
    </Panel>
  );
}

function isRunning(run: CleanupRow | null | undefined): boolean {
  return run !== null && run !== undefined && run.finishedAt === null;
}

function Run({ run }: { run: CleanupRow }): ReactNode {
  const t = useTranslations("registry.cleanup");
  const finished = parseTime(run.finishedAt);
  if (finished === null) {
    return (
      <div role="status" className="mt-3 max-w-md space-y-1.5">
        <p className="text-sm font-medium">{t("running", { phase: t(`phases.${run.phase}`) })}</p>
        {run.total > 0 ? (
          <>
            <Meter label={t("title")} percent={(run.checked / run.total) * 100} />
            <p className="tnum text-xs text-muted">{t("progress", { checked: run.checked, total: run.total })}</p>
          </>
        ) : null}
      </div>
    );
  }
  return (
    <p className={`mt-1 text-sm ${run.phase === "failed" ? "text-bad" : "text-muted"}`}>
      {run.phase === "failed"
        ? t("failed", { error: run.error ?? "" })
        : t("done", { count: run.deletedBlobs, size: formatBytes(run.freedBytes) })}
      {" · "}
      <TimeAgo time={finished} />
    </p>
  );
}
