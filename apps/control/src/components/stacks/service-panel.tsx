"use client";

import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { ReplicaGrid } from "@/components/stacks/replica-grid.tsx";
import { RolloutBar } from "@/components/stacks/rollout-bar.tsx";
import { StackStatus } from "@/components/stacks/signs.tsx";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { Button } from "@/components/ui/button.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { knownOr, rolloutOf, SERVICE_MODES, serviceState } from "@/lib/stack-state.ts";
import type { StackService } from "@/trpc/types.ts";

const ServiceUse = dynamic(() => import("@/components/stacks/service-use.tsx").then((found) => found.ServiceUse));

/** One service: what it is, its rollout when there is one, and its replicas host by host. */
export function ServicePanel({ stack, service }: { stack: string; service: StackService }): ReactNode {
  const t = useTranslations("stacks.service");
  const [hasUse, setHasUse] = useState(false);
  const say = useReasons();
  const rollout = rolloutOf(service);
  const ports = service.ports.map(({ published, target, protocol }) => `${published === null ? "" : `${published}→`}${target}/${protocol}`);
  const facts = [
    ...(ports.length === 0 ? [] : [t("ports", { ports: ports.join(", ") })]),
    ...service.addresses.map(({ network, address }) => t("address", { network, address })),
  ];
  return (
    <section aria-label={service.name} className="min-w-0 rounded-lg border bg-panel">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-2.5">
        <h2 className="text-sm font-semibold">{service.name}</h2>
        <StackStatus state={serviceState(service)} />
        <span className="tnum text-sm">
          {service.running}
          <span className="text-muted"> / {service.wanted}</span>
        </span>
        {service.mode === "replicated" ? null : <Badge>{t(`modes.${knownOr(service.mode, SERVICE_MODES, "replicated")}`)}</Badge>}
        <span className="min-w-0 truncate font-mono text-xs text-muted sm:ml-auto" title={service.image}>
          {service.image}
        </span>
      </header>
      <div className="space-y-3 p-4">
        {rollout === null ? null : <RolloutBar stack={stack} service={service} rollout={rollout} />}
        {rollout === null && service.running < service.wanted && service.message !== "" ? (
          <p className="text-sm break-words text-bad">{say(service.reasons, service.message)}</p>
        ) : null}
        <ReplicaGrid stack={stack} replicas={service.replicas} />
        {facts.length === 0 && service.running === 0 ? null : (
          <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
            <p className="min-w-0 text-xs break-words text-muted">{facts.join(" · ")}</p>
            {service.running === 0 ? null : (
              <Button size="sm" aria-expanded={hasUse} onClick={() => setHasUse(!hasUse)}>
                {t("use")}
              </Button>
            )}
          </div>
        )}
        {hasUse ? <ServiceUse stack={stack} service={service.name} /> : null}
      </div>
    </section>
  );
}
