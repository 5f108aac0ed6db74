"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { MeshPanel } from "@/components/networks/mesh-panel.tsx";
import { NetworkTable } from "@/components/networks/network-list.tsx";
import { PortsPanel } from "@/components/networks/ports-panel.tsx";
import { ReachPanel } from "@/components/networks/reach-panel.tsx";
import { TopologyPanel } from "@/components/networks/topology-panel.tsx";

const TABS = ["networks", "map", "mesh", "ports", "reach"] as const;

/** Networks, the hosts between which they run, what they publish, and whether one container reaches another. */
export function NetworksOverview(): ReactNode {
  const t = useTranslations("mesh.tabs");
  return (
    <UrlTabs
      label={t("label")}
      ids={TABS}
      words={(id) => t(id)}
      content={{
        networks: () => <NetworkTable />,
        map: () => <TopologyPanel />,
        mesh: () => <MeshPanel />,
        ports: () => <PortsPanel />,
        reach: () => <ReachPanel />,
      }}
    />
  );
}
