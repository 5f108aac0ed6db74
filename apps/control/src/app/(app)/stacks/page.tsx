import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { StackList } from "@/components/stacks/stack-list.tsx";

export default function StacksPage(): ReactNode {
  return (
    <>
      <NavTitle id="stacks" />
      <StackList />
    </>
  );
}
