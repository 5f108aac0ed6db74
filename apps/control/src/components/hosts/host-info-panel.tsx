"use client";

import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ContainerInspect } from "@/components/containers/container-inspect.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { EmptyState, PartialNotice } from "@/components/ui/states.tsx";
import { hostInfoSchema } from "@/lib/inspect.ts";
import type { HostDetails } from "@/trpc/types.ts";

/** What the engine says of itself, as `docker info` prints it. */
export function HostInfoPanel({ host }: { host: HostDetails }): ReactNode {
  const t = useTranslations("host.info");
  const info = useMemo(() => hostInfoSchema.safeParse(host.info), [host.info]);
  if (!info.success) return <EmptyState title={t("unknownTitle")} body={t("unknownBody")} />;
  const facts = info.data;
  return (
    <div className="space-y-4">
      {facts.Warnings.map((warning) => (
        <PartialNotice key={warning}>{warning}</PartialNotice>
      ))}
      <Panel title={t("engine")}>
        <Facts
          items={[
            { label: t("version"), value: facts.ServerVersion },
            { label: t("storage"), value: facts.Driver },
            { label: t("cgroups"), value: `v${facts.CgroupVersion} · ${facts.CgroupDriver}` },
            { label: t("runtime"), value: facts.DefaultRuntime },
            { label: t("root"), value: facts.DockerRootDir, isMono: true },
            { label: t("images"), value: facts.Images },
            { label: t("security"), value: facts.SecurityOptions.join(", ") || "–" },
          ].filter(({ value }) => value !== "")}
        />
      </Panel>
      <ContainerInspect raw={host.info} />
    </div>
  );
}
