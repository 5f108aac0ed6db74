import type { ReactNode } from "react";
import { NetworkPage } from "@/components/networks/network-page.tsx";

export default function NetworkRoute(): ReactNode {
  return <NetworkPage />;
}
