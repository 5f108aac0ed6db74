"use client";

import { useQuery } from "@tanstack/react-query";
import { useParams, useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { ContainerList } from "@/components/containers/container-list.tsx";
import { HostMenu } from "@/components/hosts/host-menu.tsx";
import { RemoveHostDialog, RenameHostDialog } from "@/components/hosts/host-dialogs.tsx";
import { hostHref } from "@/components/hosts/host-columns.tsx";
import { HostInfoPanel } from "@/components/hosts/host-info-panel.tsx";
import { HostStatus } from "@/components/hosts/host-status.tsx";
import { ImageTable } from "@/components/images/image-list.tsx";
import { PageTitle } from "@/components/page-title.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Badge, Status } from "@/components/ui/status-dot.tsx";
import { Tabs } from "@/components/ui/tabs.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { VolumeTable } from "@/components/volumes/volume-list.tsx";
import { hostTone } from "@/lib/host-state.ts";
import { oneOf } from "@/lib/url-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { HostDetails } from "@/trpc/types.ts";

const TABS = ["status", "containers", "images", "volumes", "info"] as const;

export function HostPage(): ReactNode {
  const t = useTranslations("host");
  const trpc = useTRPC();
  const name = decodeURIComponent(useParams<{ host: string }>().host);
  const query = useQuery(trpc.hosts.get.queryOptions({ host: name }));
  if (query.isPending) {
    return (
      <>
        <PageTitle text={name} isHidden />
        <Skeleton className="mb-4 h-8 w-48" />
        <Skeleton className="mb-4 h-9" />
        <Skeleton className="h-72" />
      </>
    );
  }
  if (query.isError) {
    return (
      <>
        <PageTitle text={name} isHidden />
        <ErrorState title={t("loadFailed", { name })} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      </>
    );
  }
  return <Loaded host={query.data} />;
}

function Loaded({ host }: { host: HostDetails }): ReactNode {
  const t = useTranslations("host");
  const hosts = useTranslations("hosts");
  const url = useUrlState();
  const router = useRouter();
  const [dialog, setDialog] = useState<"rename" | "remove" | null>(null);
  const content: Record<(typeof TABS)[number], () => ReactNode> = {
    status: () => <HostStatus host={host} />,
    containers: () => <ContainerList host={host.name} />,
    images: () => <ImageTable host={host.name} />,
    volumes: () => <VolumeTable host={host.name} />,
    info: () => <HostInfoPanel host={host} />,
  };
  return (
    <>
      <PageTitle text={host.name} />
      <PageHeader
        title={host.name}
        meta={
          <span className="flex items-center gap-3">
            <Status tone={hostTone(host.state)}>{hosts(`states.${host.state}`)}</Status>
            {host.isLocal ? <Badge>{hosts("thisMachine")}</Badge> : null}
          </span>
        }
        actions={<HostMenu host={host} onRename={() => setDialog("rename")} onRemove={() => setDialog("remove")} />}
      />
      <Tabs
        label={t("tabsLabel")}
        value={oneOf(url.get("tab"), TABS)}
        onChange={(tab) => url.set({ tab: tab === "status" ? null : tab, q: null, state: null })}
        items={TABS.map((id) => ({ id, label: t(`tabs.${id}`), content: content[id] }))}
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
