import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { ActivityList } from "@/components/activity/activity-list.tsx";

export default function ActivityPage(): ReactNode {
  return (
    <>
      <NavTitle id="activity" />
      <ActivityList />
    </>
  );
}
