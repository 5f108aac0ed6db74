import type { ReactNode } from "react";
import { ContainerPage } from "@/components/containers/container-page.tsx";

export default function ContainerRoute(): ReactNode {
  return <ContainerPage />;
}
