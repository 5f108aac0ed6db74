"use client";

import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { hostHref } from "@/components/hosts/host-columns.tsx";
import { DesiredStateFailures, DesiredStateText } from "@/components/hosts/desired-state.tsx";
import { HostPlacement } from "@/components/hosts/host-placement.tsx";
import { OutsideProjects } from "@/components/stacks/outside-projects.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { Meter } from "@/components/ui/meter.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { ErrorState, PartialNotice } from "@/components/ui/states.tsx";
import { formatBytes, formatPercent, parseTime } from "@/lib/format.ts";
import { percentOf } from "@/lib/host-state.ts";
import type { HostDetails } from "@/trpc/types.ts";

export function HostStatus({ host }: { host: HostDetails }): ReactNode {
  const t = useTranslations("host");
  const seen = parseTime(host.lastSeenAt);
  const added = parseTime(host.addedAt);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      {host.state === "online" ? null : (
        <div className="lg:col-span-2">
          <ErrorState
            title={t(host.state === "never" ? "neverTitle" : "offlineTitle")}
            message={t(host.state === "never" ? "neverBody" : "offlineBody")}
          />
        </div>
      )}
      {host.flag === null ? null : (
        <div className="lg:col-span-2">
          <PartialNotice>{host.flag}</PartialNotice>
        </div>
      )}
      {host.desiredState === null ? null : <DesiredStateFailures state={host.desiredState} />}
      <Panel title={t("load")}>
        {host.stats === null ? <p className="text-sm text-muted">{t("noLoad")}</p> : <Load stats={host.stats} host={host} />}
      </Panel>
      <Panel title={t("machine")}>
        <Facts
          items={[
            { label: t("system"), value: host.os ?? "–" },
            { label: t("kernel"), value: [host.kernel, host.architecture].filter(Boolean).join(" · ") || "–" },
            { label: t("cpus"), value: host.cpus ?? "–" },
            { label: t("memory"), value: host.memoryBytes === null ? "–" : formatBytes(host.memoryBytes) },
            { label: t("version"), value: host.version ?? "–" },
            { label: t("address"), value: host.address ?? "–", isMono: host.address !== null },
            { label: t("underlay.title"), value: <Underlay underlay={host.underlay} /> },
            { label: t("underlay.encryption"), value: <Encryption underlay={host.underlay} /> },
            { label: t("lastSeen"), value: host.state === "online" ? t("now") : seen === null ? t("never") : <TimeAgo time={seen} /> },
            ...(host.desiredState === null ? [] : [{ label: t("desired.title"), value: <DesiredStateText state={host.desiredState} /> }]),
            ...(added === null ? [] : [{ label: t("added"), value: <TimeAgo time={added} /> }]),
          ]}
        />
      </Panel>
      <HostPlacement host={host} />
      {host.state === "online" ? (
        <div className="lg:col-span-2 empty:hidden">
          <OutsideProjects host={host.name} />
        </div>
      ) : null}
      {host.state === "online" ? <DockerAccess name={host.name} /> : null}
    </div>
  );
}

function Load({ stats, host }: { stats: NonNullable<HostDetails["stats"]>; host: HostDetails }): ReactNode {
  const t = useTranslations("host");
  const rows = [
    { label: t("cpu"), percent: stats.cpuPercent, text: t("cores", { count: host.cpus ?? 0 }) },
    {
      label: t("memory"),
      percent: percentOf(stats.memoryUsedBytes, stats.memoryTotalBytes),
      text: `${formatBytes(stats.memoryUsedBytes)} / ${formatBytes(stats.memoryTotalBytes)}`,
    },
    {
      label: t("disk"),
      percent: percentOf(stats.diskUsedBytes, stats.diskTotalBytes),
      text: `${formatBytes(stats.diskUsedBytes)} / ${formatBytes(stats.diskTotalBytes)}`,
    },
  ];
  return (
    <div className="space-y-4">
      {rows.map((row) => (
        <div key={row.label}>
          <div className="mb-1.5 flex items-baseline justify-between gap-3 text-sm">
            <span>{row.label}</span>
            <span className="tnum text-xs text-muted">{row.text}</span>
          </div>
          <Meter percent={row.percent} label={row.label} text={formatPercent(Math.round(row.percent))} />
        </div>
      ))}
      <p className="flex justify-between gap-3 border-t pt-3 text-sm">
        <Link href={`${hostHref(host)}?tab=containers`} className="hover:underline">
          {t("containers")}
        </Link>
        <span className="tnum">{t("runningOf", { running: stats.containersRunning, total: stats.containersTotal })}</span>
      </p>
    </div>
  );
}

/** How the docker command reaches this host through the control plane. */
function DockerAccess({ name }: { name: string }): ReactNode {
  const t = useTranslations("host");
  const [place, setPlace] = useState("");
  useEffect(() => setPlace(window.location.host), []);
  return (
    <Panel title={t("docker")}>
      <p className="mb-2 text-sm text-muted">
        {t.rich("dockerBody", {
          tokens: (text) => (
            <Link href="/settings?tab=tokens" className="underline hover:text-ink">
              {text}
            </Link>
          ),
        })}
      </p>
      <Command isWrapped text={`export DOCKER_CUSTOM_HEADERS='Authorization=Bearer flt_…' DOCKER_HOST=tcp://${place}/docker/${name}`} />
    </Panel>
  );
}

function Underlay({ underlay }: { underlay: HostDetails["underlay"] }): ReactNode {
  const t = useTranslations("host.underlay");
  if (underlay === null) return "–";
  return (
    <>
      <span className="font-mono">{underlay.address}</span> · {t("mtu", { mtu: underlay.mtuBytes })}
    </>
  );
}

/** Whether encrypted networks can have containers here; what is missing when they cannot. */
function Encryption({ underlay }: { underlay: HostDetails["underlay"] }): ReactNode {
  const t = useTranslations("host.underlay");
  if (underlay === null) return "–";
  if (underlay.encryption !== "none") return t(underlay.encryption);
  return <span className="text-warn">{t(underlay.encryptionLack ?? "none")}</span>;
}
