import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { ContainerList } from "@/components/containers/container-list.tsx";

export default function ContainersPage(): ReactNode {
  return (
    <>
      <NavTitle id="containers" />
      <ContainerList />
    </>
  );
}
