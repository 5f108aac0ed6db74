import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { HelpPage as Page } from "@/components/help/help-page.tsx";

export default function HelpPage(): ReactNode {
  return (
    <>
      <NavTitle id="help" />
      <Page />
    </>
  );
}
