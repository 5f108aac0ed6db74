import type { ReactNode } from "react";
import { HostPage } from "@/components/hosts/host-page.tsx";

export default function HostRoute(): ReactNode {
  return <HostPage />;
}
