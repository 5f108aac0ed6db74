"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { DetailHeader, DetailPage } from "@/components/frame/detail-page.tsx";
import { ConnectButton } from "@/components/networks/connect-dialog.tsx";
import { NetworkMembers } from "@/components/networks/network-members.tsx";
import { OverlayHosts } from "@/components/networks/overlay-hosts.tsx";
import { RemoveNetworkButton } from "@/components/networks/remove-network-button.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { type Fact, Facts, Panel } from "@/components/ui/panel.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { parseTime } from "@/lib/format.ts";
import { quoteWord } from "@/lib/shell-words.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { OverlayDetail } from "@/trpc/types.ts";

/** A network that spans hosts: who is on it, what each host has of it. */
export function OverlayPage({ name }: { name: string }): ReactNode {
  const t = useTranslations("network");
  const trpc = useTRPC();
  const query = useQuery(trpc.networks.get.queryOptions({ network: name }));
  return (
    <DetailPage name={name} query={query} failed={t("loadFailed", { name })} parent="/networks">
      {(network) => <Loaded network={network} />}
    </DetailPage>
  );
}

function Loaded({ network }: { network: OverlayDetail }): ReactNode {
  const t = useTranslations("network");
  const list = useTranslations("networks");
  return (
    <>
      <DetailHeader
        title={network.name}
        facts={[
          `overlay · ${list("allHosts")}`,
          network.isInternal ? <Badge>{list("internal")}</Badge> : null,
          network.isEncrypted ? <Badge>{t("encrypted")}</Badge> : null,
          network.problems > 0 ? <Badge tone="bad">{list("problems", { count: network.problems })}</Badge> : null,
        ]}
        actions={
          <>
            <ConnectButton network={network.name} />
            <RemoveNetworkButton name={network.name} input={{ network: network.id }} isUsed={network.members > 0} isSpanning />
          </>
        }
      />
      <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <div className="min-w-0 space-y-4">
          <Panel title={t("members", { count: network.members })} isFlush>
            <NetworkMembers network={network.id} members={network.memberRows.map((row) => ({ ...row, host: row.host.name }))} />
          </Panel>
          <Panel title={t("hosts")} isFlush>
            <OverlayHosts hosts={network.hosts} isEncrypted={network.isEncrypted} />
          </Panel>
        </div>
        <div className="min-w-0 space-y-4">
          <Panel title={t("about")}>
            <Facts items={useFacts(network)} />
          </Panel>
          <Panel title={t("use")}>
            <p className="mb-2 text-sm text-muted">{t("useBody")}</p>
            <Command text={`docker run --network ${quoteWord(network.name)} IMAGE`} />
          </Panel>
        </div>
      </div>
    </>
  );
}

function useFacts(network: OverlayDetail): Fact[] {
  const t = useTranslations("network");
  const created = parseTime(network.createdAt);
  const mtu = network.mtuBytes ?? network.smallestMtuBytes;
  return [
    { label: t("subnet"), value: network.subnet, isMono: true },
    ...(network.addressRange === null ? [] : [{ label: t("range"), value: network.addressRange, isMono: true }]),
    { label: t("gateway"), value: network.gateway, isMono: true },
    ...(network.subnet6 === null ? [] : [{ label: t("subnet6"), value: network.subnet6, isMono: true }]),
    { label: t("pool"), value: t("poolValue", network.pool) },
    { label: t("mtu"), value: mtu === null ? t("mtuUnknown") : network.mtuBytes === null ? t("mtuAutomatic", { mtu }) : String(mtu) },
    { label: t("vni"), value: String(network.vni), isMono: true },
    ...(created === null ? [] : [{ label: t("created"), value: <TimeAgo time={created} /> }]),
    ...Object.entries({ ...network.labels, ...network.options }).map(([label, value]) => ({ label, value, isMono: true })),
  ];
}
