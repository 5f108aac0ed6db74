"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { MeshPanel } from "@/components/networks/mesh-panel.tsx";
import { NetworkTable } from "@/components/networks/network-list.tsx";
import { PortsPanel } from "@/components/networks/ports-panel.tsx";
import { ReachPanel } from "@/components/networks/reach-panel.tsx";
import { TopologyPanel } from "@/components/networks/topology-panel.tsx";
import { Tabs } from "@/components/ui/tabs.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { oneOf } from "@/lib/url-state.ts";

const TABS = ["networks", "map", "mesh", "ports", "reach"] as const;

/** Networks, the hosts between which they run, what they publish, and whether one container reaches another. */
export function NetworksOverview(): ReactNode {
  const t = useTranslations("mesh.tabs");
  const url = useUrlState();
  return (
    <Tabs
      label={t("label")}
      value={oneOf(url.get("tab"), TABS)}
      onChange={(id) => url.set({ tab: id === "networks" ? null : id, q: null })}
      items={[
        { id: "networks", label: t("networks"), content: () => <NetworkTable /> },
        { id: "map", label: t("map"), content: () => <TopologyPanel /> },
        { id: "mesh", label: t("mesh"), content: () => <MeshPanel /> },
        { id: "ports", label: t("ports"), content: () => <PortsPanel /> },
        { id: "reach", label: t("reach"), content: () => <ReachPanel /> },
      ]}
    />
  );
}
