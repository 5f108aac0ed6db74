import type { ReactNode } from "react";
import { RunPage } from "@/components/run/run-page.tsx";

export default function RunRoute(): ReactNode {
  return <RunPage />;
}
