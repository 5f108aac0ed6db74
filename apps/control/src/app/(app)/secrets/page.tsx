import type { ReactNode } from "react";
import { FilesPage } from "@/components/files/files-page.tsx";
import { NavTitle } from "@/components/nav-title.tsx";

export default function SecretsPage(): ReactNode {
  return (
    <>
      <NavTitle id="secrets" />
      <FilesPage />
    </>
  );
}
