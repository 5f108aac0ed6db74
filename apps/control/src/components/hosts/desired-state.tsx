"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { PartialNotice } from "@/components/ui/states.tsx";
import type { HostDetails } from "@/trpc/types.ts";

type DesiredState = NonNullable<HostDetails["desiredState"]>;

/** How far a host is with what it was told to be. */
export function DesiredStateText({ state }: { state: DesiredState }): ReactNode {
  const t = useTranslations("host.desired");
  return <span className="tnum">{t(state.state, { generation: state.generation, applied: state.appliedGeneration ?? 0 })}</span>;
}

/** What the host could not do of it, and why. */
export function DesiredStateFailures({ state }: { state: DesiredState }): ReactNode {
  const t = useTranslations("host.desired");
  if (state.failures.length === 0) return null;
  return (
    <div className="lg:col-span-2">
      <PartialNotice>{t("failures", { count: state.failures.length })}</PartialNotice>
      <ul className="mt-2 space-y-1 px-3 text-sm">
        {state.failures.map(({ key, message }) => (
          <li key={key} className="break-words text-muted">
            <span className="font-mono text-ink">{key}</span>: {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
