"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useRegistryName } from "@/components/registry/push-commands.tsx";
import { UpstreamDialog } from "@/components/registry/upstream-dialog.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useMay } from "@/components/may.tsx";
import { useMe } from "@/components/use-me.ts";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { UpstreamRow } from "@/trpc/types.ts";

/** Other registries whose images are pulled through this one. Administrators add, test and remove them. */
export function UpstreamsPanel(): ReactNode {
  const t = useTranslations("registry.upstreams");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const [isAdding, setAdding] = useState(false);
  const query = useQuery(trpc.registry.upstreams.list.queryOptions());
  const isManager = useMay()("registry.manage");
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.registry.pathKey() });
  const removing = useAsked(async ({ name }: UpstreamRow) => {
    await client.registry.upstreams.remove.mutate({ name });
    await refresh();
  });
  if (query.isPending) return <Skeleton className="h-40" />;
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  const add = isManager ? (
    <Button variant="primary" onClick={() => setAdding(true)}>
      <Plus />
      {t("add")}
    </Button>
  ) : null;
  return (
    <div className="space-y-4">
      {query.data.length === 0 ? (
        <EmptyState title={t("emptyTitle")} body={t("emptyBody")}>
          <PullCommand name="hub" image="library/nginx:latest" />
          {add}
        </EmptyState>
      ) : (
        <>
          <div className="flex flex-wrap items-center justify-between gap-2">
            <p className="text-sm text-muted">{t("body")}</p>
            {add}
          </div>
          <ul className="rounded-lg border">
            {query.data.map((upstream) => (
              <Row
                key={upstream.name}
                upstream={upstream}
                isManager={isManager}
                onChange={refresh}
                onRemove={() => removing.ask(upstream)}
              />
            ))}
          </ul>
        </>
      )}
      {isAdding ? <UpstreamDialog onClose={() => setAdding(false)} onDone={refresh} /> : null}
      <ConfirmDialog
        isOpen={removing.subject !== null}
        onOpenChange={removing.close}
        title={t("removeTitle", { name: removing.subject?.name ?? "" })}
        body={<p>{t("removeBody", { size: formatBytes(removing.subject?.sizeBytes ?? 0) })}</p>}
        confirmLabel={t("remove")}
        isPending={removing.isPending}
        error={removing.error}
        onConfirm={removing.confirm}
      />
    </div>
  );
}

type RowProps = { upstream: UpstreamRow; isManager: boolean; onChange: () => Promise<void>; onRemove: () => void };

function Row({ upstream, isManager, onChange, onRemove }: RowProps): ReactNode {
  const t = useTranslations("registry.upstreams");
  const client = useTRPCClient();
  const [isTesting, setTesting] = useState(false);
  const { name, url, lastError } = upstream;
  const reached = parseTime(upstream.reachedAt);
  const test = async (): Promise<void> => {
    setTesting(true);
    try {
      const { isReached, message } = await client.registry.upstreams.test.mutate({ name });
      notify(isReached ? "success" : "error", t(isReached ? "testGood" : "testBad", { name }), { description: message ?? undefined });
      await onChange();
    } catch (error) {
      notify("error", t("testBad", { name }), { description: errorMessage(error) });
    } finally {
      setTesting(false);
    }
  };
  return (
    <li className="space-y-2 border-b px-4 py-3 last:border-b-0">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-2 text-sm font-medium">
            <span className="break-all">{name}</span>
            {upstream.allowsPrivate ? <Badge tone="warn">{t("privateBadge")}</Badge> : null}
          </p>
          <p className="text-xs break-all text-muted">
            {url}
            {upstream.username === null ? null : ` · ${t("as", { name: upstream.username })}`}
          </p>
          <p className="tnum text-xs text-muted">
            {t("cached", { count: upstream.repositories, size: formatBytes(upstream.sizeBytes) })}
            {reached === null ? null : (
              <>
                {" · "}
                {t.rich("reached", { time: () => <TimeAgo time={reached} /> })}
              </>
            )}
          </p>
        </div>
        {isManager ? (
          <div className="flex gap-2">
            <Button size="sm" isPending={isTesting} onClick={() => void test()}>
              {t("test")}
            </Button>
            <Button size="sm" variant="dangerOutline" onClick={onRemove}>
              {t("remove")}
            </Button>
          </div>
        ) : null}
      </div>
      {lastError === null ? null : <p className="text-xs break-words text-bad">{lastError}</p>}
      <PullCommand name={name} image="IMAGE:TAG" />
    </li>
  );
}

function PullCommand({ name, image }: { name: string; image: string }): ReactNode {
  const registry = useRegistryName();
  const me = useMe();
  return <Command text={`docker pull ${registry}/${me?.team.slug ?? "team"}/${name}/${image}`} />;
}
