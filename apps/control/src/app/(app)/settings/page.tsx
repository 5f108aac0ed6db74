import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { Settings } from "@/components/settings/settings.tsx";

export default function SettingsPage(): ReactNode {
  return (
    <>
      <NavTitle id="settings" />
      <Settings />
    </>
  );
}
