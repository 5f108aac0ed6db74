import type { ReactNode } from "react";
import { VolumePage } from "@/components/volumes/volume-page.tsx";

export default function VolumeRoute(): ReactNode {
  return <VolumePage />;
}
