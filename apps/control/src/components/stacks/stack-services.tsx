"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { StackNotes } from "@/components/stacks/issue-text.tsx";
import { ServiceGraphPanel } from "@/components/stacks/service-graph.tsx";
import { ServicePanel } from "@/components/stacks/service-panel.tsx";
import { EmptyState, PartialNotice } from "@/components/ui/states.tsx";
import type { StackDetails } from "@/trpc/types.ts";

/** The services of a stack with their replicas, and who needs whom. */
export function StackServices({ stack }: { stack: StackDetails }): ReactNode {
  const t = useTranslations("stacks.stack");
  const hasDependencies = stack.detail.some(({ dependsOn }) => dependsOn.length > 0);
  return (
    <div className="space-y-4">
      {stack.isRemoving ? <PartialNotice>{t("removing")}</PartialNotice> : null}
      {stack.detail.length === 0 ? <EmptyState title={t("noServices")} /> : null}
      {stack.detail.map((service) => (
        <ServicePanel key={service.name} stack={stack.name} service={service} />
      ))}
      {hasDependencies ? <ServiceGraphPanel services={stack.detail} /> : null}
      <StackNotes issues={stack.issues} notes={stack.notes} />
    </div>
  );
}
