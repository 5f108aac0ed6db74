"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useTranslations } from "use-intl";
import { containerKey, containerName, type ContainerSummary } from "@/lib/container-row.ts";
import type { ContainerAction } from "@/lib/container-state.ts";
import { runLimited } from "@/lib/run-limited.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

type Target = Pick<ContainerSummary, "Id" | "Names" | "host">;

export type ContainerActions = {
  /** Keys of containers that something is being done to. */
  pending: ReadonlySet<string>;
  act: (rows: readonly Target[], action: ContainerAction) => void;
  remove: (rows: readonly Target[], options: { force: boolean; volumes: boolean }) => Promise<boolean>;
};

/** At most so many containers are acted on at once: a host stops them one by one anyway, and the rest of the page stays usable. */
const PARALLEL = 8;

/** Actions on one or many containers; each failure is told with its cause, and how many went well. */
export function useContainerActions(): ContainerActions {
  const t = useTranslations("actions");
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [pending, setPending] = useState<ReadonlySet<string>>(new Set());

  const runAll = useCallback(
    async (rows: readonly Target[], work: (row: Target) => Promise<unknown>): Promise<boolean> => {
      setPending((keys) => new Set([...keys, ...rows.map(containerKey)]));
      const results = await runLimited(rows, PARALLEL, async (row) => {
        try {
          await work(row);
        } finally {
          setPending((keys) => new Set([...keys].filter((key) => key !== containerKey(row))));
        }
      });
      const failures = results.flatMap((result, index) => {
        const row = rows[index];
        return result.status === "rejected" && row !== undefined ? [`${containerName(row)}: ${errorMessage(result.reason)}`] : [];
      });
      if (failures.length > 0) {
        notify("error", t("failed", { failed: failures.length, total: rows.length }), {
          description: failures.slice(0, 3).join("\n"),
          duration: 10_000,
        });
      }
      await queryClient.invalidateQueries({ queryKey: trpc.containers.pathKey() });
      return failures.length === 0;
    },
    [queryClient, trpc, t],
  );

  const act = useCallback(
    (rows: readonly Target[], action: ContainerAction) => {
      void runAll(rows, (row) => client.containers.action.mutate({ host: row.host.name, id: row.Id, action })).then((isDone) => {
        if (isDone && rows.length > 1) notify("success", t("done", { count: rows.length, action: t(action) }));
      });
    },
    [client, runAll, t],
  );
  const remove = useCallback(
    (rows: readonly Target[], options: { force: boolean; volumes: boolean }) =>
      runAll(rows, (row) => client.containers.remove.mutate({ host: row.host.name, id: row.Id, ...options })),
    [client, runAll],
  );
  return { pending, act, remove };
}
