"use client";

import { useQuery } from "@tanstack/react-query";
import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { DetailHeader, DetailPage } from "@/components/frame/detail-page.tsx";
import { hostHref } from "@/components/hosts/host-columns.tsx";
import { ConnectButton } from "@/components/networks/connect-dialog.tsx";
import { NetworkMembers } from "@/components/networks/network-members.tsx";
import { RemoveNetworkButton } from "@/components/networks/remove-network-button.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useTRPC } from "@/trpc/client.ts";
import type { HostNetwork } from "@/trpc/types.ts";

const PREDEFINED: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

/** A network of one host, as its engine tells. */
export function HostNetworkPage({ host, name }: { host: string; name: string }): ReactNode {
  const t = useTranslations("network");
  const trpc = useTRPC();
  const query = useQuery(trpc.networks.inspect.queryOptions({ host, network: name }));
  return (
    <DetailPage name={name} query={query} failed={t("loadFailed", { name })} parent="/networks">
      {(network) => <Loaded network={network} />}
    </DetailPage>
  );
}

function Loaded({ network }: { network: HostNetwork }): ReactNode {
  const t = useTranslations("network");
  const list = useTranslations("networks");
  const members = Object.entries(network.Containers ?? {}).map(([containerId, container]) => ({
    host: network.host.name,
    containerId,
    containerName: container.Name,
    address: container.IPv4Address?.split("/")[0] ?? "",
    address6: null,
    aliases: [],
  }));
  const [config] = network.IPAM?.Config ?? [];
  const input = { network: network.Id, host: network.host.name };
  return (
    <>
      <DetailHeader
        title={network.Name}
        facts={[
          network.Driver,
          <Link key="host" href={hostHref(network.host)} className="hover:text-ink hover:underline">
            {network.host.name}
          </Link>,
          network.Internal ? <Badge>{list("internal")}</Badge> : null,
        ]}
        actions={
          network.Driver === "bridge" ? (
            <>
              <ConnectButton network={network.Name} host={network.host.name} />
              {PREDEFINED.has(network.Name) ? null : <RemoveNetworkButton name={network.Name} input={input} isUsed={members.length > 0} />}
            </>
          ) : null
        }
      />
      <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <Panel title={t("members", { count: members.length })} isFlush>
          <NetworkMembers network={network.Id} members={members} />
        </Panel>
        <Panel title={t("about")}>
          <Facts
            items={[
              { label: t("subnet"), value: config?.Subnet ?? "–", isMono: true },
              { label: t("gateway"), value: config?.Gateway ?? "–", isMono: true },
              ...Object.entries({ ...network.Labels, ...network.Options }).map(([label, value]) => ({ label, value, isMono: true })),
            ]}
          />
        </Panel>
      </div>
    </>
  );
}
