"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ContainerTabProps } from "@/components/containers/container-page-types.ts";
import { ContainerEnvironment } from "@/components/containers/environment-panel.tsx";
import { PublishedPorts } from "@/components/containers/published-ports.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";

/** Where its data is, where it answers, and what its environment says. */
export function ContainerMounts({ host, details }: ContainerTabProps): ReactNode {
  const t = useTranslations("container.mounts");
  return (
    <div className="space-y-4">
      <Panel title={t("title")} isFlush>
        {details.Mounts.length === 0 ? (
          <p className="p-4 text-sm text-muted">{t("none")}</p>
        ) : (
          <ul>
            {details.Mounts.map((mount) => (
              <li
                key={mount.Destination}
                className="grid gap-x-4 gap-y-1 border-b px-4 py-2.5 last:border-b-0 sm:grid-cols-[5rem_minmax(0,1fr)_minmax(0,1.4fr)_auto] sm:items-center"
              >
                <Badge className="w-fit">{mount.Type}</Badge>
                <code className="font-mono text-xs break-all">{mount.Destination}</code>
                {mount.Type === "volume" && mount.Name !== undefined ? (
                  <Link
                    href={`/volumes/${encodeURIComponent(host)}/${encodeURIComponent(mount.Name)}`}
                    className="text-sm break-all hover:underline"
                  >
                    {mount.Name}
                  </Link>
                ) : (
                  <code className="font-mono text-xs break-all text-muted">{mount.Source || "–"}</code>
                )}
                <span className="text-xs text-muted">{mount.RW ? t("readWrite") : t("readOnly")}</span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title={t("network")}>
        <PublishedPorts host={host} details={details} />
      </Panel>
      <ContainerEnvironment host={host} env={details.Config.Env} labels={details.Config.Labels} />
    </div>
  );
}
