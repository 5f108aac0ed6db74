import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { RegistryOverview } from "@/components/registry/registry-overview.tsx";

export default function RegistryPage(): ReactNode {
  return (
    <>
      <NavTitle id="registry" />
      <RegistryOverview />
    </>
  );
}
