import type { ReactNode } from "react";
import { DeployPage } from "@/components/stacks/deploy-page.tsx";

export default function DeployRoute(): ReactNode {
  return <DeployPage />;
}
