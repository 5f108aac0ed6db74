import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { Help } from "@/components/help/help.tsx";

export default function HelpPage(): ReactNode {
  return (
    <>
      <NavTitle id="help" />
      <Help />
    </>
  );
}
