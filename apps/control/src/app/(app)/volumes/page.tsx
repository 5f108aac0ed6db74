import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { VolumeList } from "@/components/volumes/volume-list.tsx";

export default function VolumesPage(): ReactNode {
  return (
    <>
      <NavTitle id="volumes" />
      <VolumeList />
    </>
  );
}
