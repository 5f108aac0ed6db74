import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { NetworksOverview } from "@/components/networks/networks-overview.tsx";

export default function NetworksPage(): ReactNode {
  return (
    <>
      <NavTitle id="networks" />
      <NetworksOverview />
    </>
  );
}
