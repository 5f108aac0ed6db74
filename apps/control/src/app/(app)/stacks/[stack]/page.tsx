import type { ReactNode } from "react";
import { StackPage } from "@/components/stacks/stack-page.tsx";

export default function StackRoute(): ReactNode {
  return <StackPage />;
}
