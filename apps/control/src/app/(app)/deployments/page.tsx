import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { DeploymentsPage } from "@/components/stacks/deployments-page.tsx";

export default function Page(): ReactNode {
  return (
    <>
      <NavTitle id="deployments" />
      <DeploymentsPage />
    </>
  );
}
