"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Facts } from "@/components/ui/panel.tsx";
import { type ContainerDetails, portRows } from "@/lib/inspect.ts";
import { isAnyAddress, publishedUrl } from "@/lib/ports.ts";
import { useTRPC } from "@/trpc/client.ts";

/** Ports with the address where each answers, and the networks with the container's own addresses. */
export function PublishedPorts({ host, details }: { host: string; details: ContainerDetails }): ReactNode {
  const t = useTranslations("container.network");
  const address = useHostAddress(host);
  const rows = portRows(details);
  const networks = Object.entries(details.NetworkSettings.Networks);
  return (
    <Facts
      items={[
        ...(rows.length === 0 ? [{ label: t("ports"), value: <span className="text-muted">{t("noPorts")}</span> }] : []),
        ...rows.map((row) => ({
          label: <span className="tnum">{row.container}</span>,
          value:
            row.published.length === 0 ? (
              <span className="text-muted">{t("notPublished")}</span>
            ) : (
              <Bindings bindings={row.published} isTcp={row.container.endsWith("/tcp")} hostAddress={address} />
            ),
        })),
        ...networks.map(([name, network]) => ({
          label: t("network", { name }),
          value: network.IPAddress === "" ? <span className="text-muted">{t("noAddress")}</span> : network.IPAddress,
          isMono: network.IPAddress !== "",
        })),
        ...(networks.length === 0 ? [{ label: t("mode"), value: details.HostConfig.NetworkMode }] : []),
      ]}
    />
  );
}

type BindingsProps = { bindings: { address: string; port: string }[]; isTcp: boolean; hostAddress: string };

function Bindings({ bindings, isTcp, hostAddress }: BindingsProps): ReactNode {
  // A port published for IPv4 and IPv6 at once is one place to a reader.
  const unique = new Map(bindings.map((binding) => [`${isAnyAddress(binding.address) ? "" : binding.address}:${binding.port}`, binding]));
  return (
    <span className="flex flex-wrap gap-x-3">
      {[...unique].map(([label, binding]) => {
        const url = isTcp ? publishedUrl(binding, hostAddress) : null;
        if (url === null) {
          return (
            <span key={label} className="tnum font-mono text-xs leading-5">
              {label}
            </span>
          );
        }
        return (
          <a
            key={label}
            href={url}
            target="_blank"
            rel="noreferrer noopener"
            className="tnum font-mono text-xs leading-5 text-info underline"
          >
            {url.replace("http://", "")}
          </a>
        );
      })}
    </span>
  );
}

/** Where a host is reached from here: the page's own machine for the local one, else the address its agent connects from. */
function useHostAddress(host: string): string {
  const trpc = useTRPC();
  const { data } = useQuery(trpc.hosts.list.queryOptions());
  const [here, setHere] = useState("");
  useEffect(() => setHere(window.location.hostname), []);
  const found = data?.find((row) => row.name === host || row.id === host);
  return found?.isLocal === true ? here : (found?.address ?? "");
}
