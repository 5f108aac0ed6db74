import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { HostList } from "@/components/hosts/host-list.tsx";

export default function HostsPage(): ReactNode {
  return (
    <>
      <NavTitle id="hosts" />
      <HostList />
    </>
  );
}
