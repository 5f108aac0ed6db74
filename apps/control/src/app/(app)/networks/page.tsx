import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { NetworkTable } from "@/components/networks/network-list.tsx";

export default function NetworksPage(): ReactNode {
  return (
    <>
      <NavTitle id="networks" />
      <NetworkTable />
    </>
  );
}
