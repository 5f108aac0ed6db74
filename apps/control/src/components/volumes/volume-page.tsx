"use client";

import { useQuery } from "@tanstack/react-query";
import { Link } from "@/components/ui/link.tsx";
import { useParams } from "next/navigation";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { DetailHeader, DetailPage } from "@/components/frame/detail-page.tsx";
import { useParsed } from "@/components/frame/loadable.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { type VolumeDetails, volumeInspectSchema } from "@/lib/inspect.ts";
import { quoteWord } from "@/lib/shell-words.ts";
import { usersByVolume, type VolumeUser } from "@/lib/volume-row.ts";
import { useTRPC } from "@/trpc/client.ts";

/** One volume on one host: who uses it, and where it is. */
export function VolumePage(): ReactNode {
  const t = useTranslations("volume");
  const trpc = useTRPC();
  const params = useParams<{ host: string; name: string }>();
  const host = decodeURIComponent(params.host);
  const name = decodeURIComponent(params.name);
  const query = useParsed(useQuery(trpc.volumes.inspect.queryOptions({ host, name })), volumeInspectSchema, t("unreadable"));
  const { data: containers } = useQuery(trpc.containers.list.queryOptions({ host }));
  // The host in the address may be its id: the key is made with the host of the containers themselves.
  const users = useMemo(
    () => [...usersByVolume(containers?.items ?? [])].filter(([key]) => key.endsWith(`/${name}`)).flatMap(([, found]) => found),
    [containers, name],
  );
  return (
    <DetailPage name={name} query={query} failed={t("loadFailed", { name, host })} parent="/volumes">
      {({ details }) => <Loaded host={host} volume={details} users={users} />}
    </DetailPage>
  );
}

function Loaded({ host, volume, users }: { host: string; volume: VolumeDetails; users: readonly VolumeUser[] }): ReactNode {
  const t = useTranslations("volume");
  const created = parseTime(volume.CreatedAt);
  return (
    <>
      <DetailHeader
        title={volume.Name}
        facts={[
          <Link key="host" href={`/hosts/${encodeURIComponent(host)}`} className="hover:text-ink hover:underline">
            {host}
          </Link>,
        ]}
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
