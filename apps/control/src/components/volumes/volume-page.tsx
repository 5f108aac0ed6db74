"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useParams } from "next/navigation";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { PageTitle } from "@/components/page-title.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { volumeInspectSchema } from "@/lib/inspect.ts";
import { quoteWord } from "@/lib/shell-words.ts";
import { usersByVolume } from "@/lib/volume-row.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** One volume on one host: who uses it, and where it is. */
export function VolumePage(): ReactNode {
  const t = useTranslations("volume");
  const trpc = useTRPC();
  const params = useParams<{ host: string; name: string }>();
  const host = decodeURIComponent(params.host);
  const name = decodeURIComponent(params.name);
  const query = useQuery(trpc.volumes.inspect.queryOptions({ host, name }));
  const { data: containers } = useQuery(trpc.containers.list.queryOptions({ host }));
  const details = useMemo(() => volumeInspectSchema.safeParse(query.data), [query.data]);
  // The host in the address may be its id: the key is made with the host of the containers themselves.
  const users = useMemo(
    () => [...usersByVolume(containers?.items ?? [])].filter(([key]) => key.endsWith(`/${name}`)).flatMap(([, found]) => found),
    [containers, name],
  );
  if (query.isPending) return <Skeleton className="h-72" />;
  if (!details.success) {
    return (
      <>
        <PageTitle text={name} isHidden />
        <ErrorState
          title={t("loadFailed", { name, host })}
          message={errorMessage(query.error ?? t("unreadable"))}
          onRetry={() => void query.refetch()}
        />
      </>
    );
  }
  const volume = details.data;
  const created = parseTime(volume.CreatedAt);
  return (
    <>
      <PageTitle text={name} />
      <PageHeader
        title={name}
        meta={
          <Link href={`/hosts/${encodeURIComponent(host)}`} className="text-sm text-muted hover:text-ink hover:underline">
            {host}
          </Link>
        }
      />
      <div className="space-y-4">
        <Panel title={t("usedBy")}>
          {users.length === 0 ? (
            <p className="text-sm text-muted">{t("unused")}</p>
          ) : (
            <ul className="flex flex-wrap gap-x-4 gap-y-1">
              {users.map((user) => (
                <li key={user.href}>
                  <Link href={user.href} className="text-sm underline hover:text-muted">
                    {user.name}
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel title={t("about")}>
          <Facts
            items={[
              { label: t("driver"), value: volume.Driver },
              { label: t("path"), value: volume.Mountpoint, isMono: true },
              ...(volume.UsageData === null || volume.UsageData === undefined || volume.UsageData.Size < 0
                ? []
                : [{ label: t("size"), value: formatBytes(volume.UsageData.Size) }]),
              ...(created === null ? [] : [{ label: t("created"), value: <TimeAgo time={created} /> }]),
              ...Object.entries(volume.Labels).map(([label, value]) => ({ label, value, isMono: true })),
            ]}
          />
        </Panel>
        <Panel title={t("use")}>
          <p className="mb-2 text-sm text-muted">{t("useBody")}</p>
          <Command text={`docker run -v ${quoteWord(volume.Name)}:/data IMAGE`} />
        </Panel>
      </div>
    </>
  );
}
