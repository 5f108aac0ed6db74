"use client";

import dynamic from "next/dynamic";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { NetworkTable } from "@/components/networks/network-list.tsx";
import { Skeleton } from "@/components/ui/states.tsx";

function TabSkeleton(): ReactNode {
  return <Skeleton className="h-72" />;
}

// A list should not have to wait for the code of what is beside it.
const TopologyPanel = dynamic(() => import("@/components/networks/topology-panel.tsx").then((found) => found.TopologyPanel), {
  loading: TabSkeleton,
});
const MeshPanel = dynamic(() => import("@/components/networks/mesh-panel.tsx").then((found) => found.MeshPanel), { loading: TabSkeleton });
const PortsPanel = dynamic(() => import("@/components/networks/ports-panel.tsx").then((found) => found.PortsPanel), {
  loading: TabSkeleton,
});
const ReachPanel = dynamic(() => import("@/components/networks/reach-panel.tsx").then((found) => found.ReachPanel), {
  loading: TabSkeleton,
});

const NEEDS = { ports: "container.read", reach: "container.read" } as const;
const TABS = ["networks", "map", "mesh", "ports", "reach"] as const;

/** Networks, the hosts between which they run, what they publish, and whether one container reaches another. */
export function NetworksOverview(): ReactNode {
  const t = useTranslations("mesh.tabs");
  return (
    <UrlTabs
      label={t("label")}
      ids={TABS}
      words={(id) => t(id)}
      needs={NEEDS}
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
