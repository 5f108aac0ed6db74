"use client";

import { useQuery } from "@tanstack/react-query";
import { useParams, useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { DetailHeader, DetailPage } from "@/components/frame/detail-page.tsx";
import { lazyPart } from "@/components/frame/lazy-part.tsx";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { HostMenu } from "@/components/hosts/host-menu.tsx";
import { RemoveHostDialog, RenameHostDialog } from "@/components/hosts/host-dialogs.tsx";
import { hostHref } from "@/components/hosts/host-columns.tsx";
import { HostStatus } from "@/components/hosts/host-status.tsx";
import { Badge, Status } from "@/components/ui/status-dot.tsx";
import { useMay } from "@/components/may.tsx";
import { hostTone } from "@/lib/host-state.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { HostDetails } from "@/trpc/types.ts";

// The lists of a host come when their tab is opened.
const ContainerList = lazyPart(() => import("@/components/containers/container-list.tsx").then((found) => found.ContainerList));
const ImageTable = lazyPart(() => import("@/components/images/image-list.tsx").then((found) => found.ImageTable));
const VolumeTable = lazyPart(() => import("@/components/volumes/volume-list.tsx").then((found) => found.VolumeTable));
const HostSharing = lazyPart(() => import("@/components/hosts/host-sharing.tsx").then((found) => found.HostSharing));
const HostGuards = lazyPart(() => import("@/components/hosts/host-guards.tsx").then((found) => found.HostGuards));
const HostInfoPanel = lazyPart(() => import("@/components/hosts/host-info-panel.tsx").then((found) => found.HostInfoPanel));

const NEEDS = { containers: "container.read", images: "image.read", volumes: "volume.read" } as const;
const TABS = ["status", "containers", "images", "volumes", "guards", "info"] as const;
const OWNER_TABS = [...TABS, "sharing"] as const;

export function HostPage(): ReactNode {
  const t = useTranslations("host");
  const trpc = useTRPC();
  const name = decodeURIComponent(useParams<{ host: string }>().host);
  const query = useQuery(trpc.hosts.get.queryOptions({ host: name }));
  return (
    <DetailPage name={name} query={query} failed={t("loadFailed", { name })} parent="/hosts" hasTabs>
      {(host) => <Loaded host={host} />}
    </DetailPage>
  );
}

function Loaded({ host }: { host: HostDetails }): ReactNode {
  const t = useTranslations("host");
  const hosts = useTranslations("hosts");
  const router = useRouter();
  const mayShare = useMay()("host.share");
  const [dialog, setDialog] = useState<"rename" | "remove" | null>(null);
  const content: Record<(typeof OWNER_TABS)[number], () => ReactNode> = {
    status: () => <HostStatus host={host} />,
    containers: () => <ContainerList host={host.name} />,
    images: () => <ImageTable host={host.name} />,
    volumes: () => <VolumeTable host={host.name} />,
    guards: () => <HostGuards host={host} />,
    info: () => <HostInfoPanel host={host} />,
    sharing: () => <HostSharing host={host.id} />,
  };
  return (
    <>
      <DetailHeader
        title={host.name}
        status={<Status tone={hostTone(host.state)}>{hosts(`states.${host.state}`)}</Status>}
        facts={[host.isLocal ? <Badge>{hosts("thisMachine")}</Badge> : null, host.isShared ? <Badge>{hosts("shared")}</Badge> : null]}
        actions={<HostMenu host={host} onRename={() => setDialog("rename")} onRemove={() => setDialog("remove")} />}
      />
      <UrlTabs
        label={t("tabsLabel")}
        ids={mayShare && !host.isShared ? OWNER_TABS : TABS}
        words={(id) => t(`tabs.${id}`)}
        content={content}
        needs={NEEDS}
        host={host.id}
        resets={["state"]}
      />
      {dialog === "rename" ? (
        <RenameHostDialog
          host={host}
          onClose={() => setDialog(null)}
          onDone={(name) => router.replace(`${hostHref({ name })}${window.location.search}`)}
        />
      ) : null}
      {dialog === "remove" ? <RemoveHostDialog host={host} onClose={() => setDialog(null)} onDone={() => router.push("/hosts")} /> : null}
    </>
  );
}
