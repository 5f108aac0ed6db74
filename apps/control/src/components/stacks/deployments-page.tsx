"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { DeploymentHistory } from "@/components/stacks/deployment-history.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";

/** Everything that was deployed, over all stacks, the newest first. */
export function DeploymentsPage(): ReactNode {
  const t = useTranslations("stacks.deployments");
  return (
    <div className="space-y-4">
      <PageHeader title={t("title")} />
      <DeploymentHistory />
    </div>
  );
}
