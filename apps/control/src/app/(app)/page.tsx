import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { Overview } from "@/components/overview/overview.tsx";

export default function OverviewPage(): ReactNode {
  return (
    <>
      <NavTitle id="overview" />
      <Overview />
    </>
  );
}
