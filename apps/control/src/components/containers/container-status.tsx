"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ContainerTabProps } from "@/components/containers/container-page-types.ts";
import { LastExit } from "@/components/containers/last-exit.tsx";
import { PublishedPorts } from "@/components/containers/published-ports.tsx";
import { TimeAgo, Uptime } from "@/components/time-ago.tsx";
import { CopyButton } from "@/components/ui/copy-button.tsx";
import { type Fact, Facts, Panel } from "@/components/ui/panel.tsx";
import { Badge, Status } from "@/components/ui/status-dot.tsx";
import { containerTone } from "@/lib/container-state.ts";
import { formatBytes, parseTime, shortId } from "@/lib/format.ts";
import type { ContainerDetails } from "@/lib/inspect.ts";
import { joinWords } from "@/lib/shell-words.ts";

/** What someone who is called at night wants to know first. */
export function ContainerStatus({ host, details }: ContainerTabProps): ReactNode {
  const t = useTranslations("container.status");
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <LastExit host={host} details={details} />
      <Panel title={t("now")}>
        <Facts items={useNowFacts(details)} />
      </Panel>
      <Panel title={t("settings")}>
        <Facts items={useSettingsFacts(host, details)} />
      </Panel>
      {details.State.Health?.Log.length ? <HealthLog details={details} /> : null}
      <Panel title={t("network")} className="lg:col-span-2">
        <PublishedPorts host={host} details={details} />
      </Panel>
    </div>
  );
}

function useNowFacts(details: ContainerDetails): Fact[] {
  const t = useTranslations("container.status");
  const states = useTranslations("state");
  const { State: state } = details;
  const started = parseTime(state.StartedAt);
  const created = parseTime(details.Created);
  const health = state.Health?.Status;
  const tone = containerTone({ state: state.Status, health, exitCode: state.ExitCode });
  return [
    {
      label: t("state"),
      value: <Status tone={tone}>{states.has(state.Status as "running") ? states(state.Status as "running") : state.Status}</Status>,
    },
    ...(health === undefined || health === "none"
      ? []
      : [
          {
            label: t("health"),
            value: (
              <Badge tone={health === "unhealthy" ? "bad" : health === "healthy" ? "ok" : "info"}>
                {states.has(health as "healthy") ? states(health as "healthy") : health}
              </Badge>
            ),
          },
        ]),
    ...(state.Running && started !== null ? [{ label: t("uptime"), value: <Uptime since={started} /> }] : []),
    { label: t("restarts"), value: <span className="tnum">{details.RestartCount}</span> },
    ...(created === null ? [] : [{ label: t("created"), value: <TimeAgo time={created} /> }]),
    {
      label: t("id"),
      isMono: true,
      value: (
        <span className="inline-flex h-5 items-center gap-1">
          {shortId(details.Id)}
          <CopyButton text={details.Id} className="-my-1" />
        </span>
      ),
    },
  ];
}

function useSettingsFacts(host: string, details: ContainerDetails): Fact[] {
  const t = useTranslations("container.status");
  const { HostConfig: config } = details;
  const restart = config.RestartPolicy;
  const policy = restart?.Name === undefined || restart.Name === "" ? "no" : restart.Name;
  const limits = [
    config.Memory > 0 ? t("memoryLimit", { size: formatBytes(config.Memory) }) : null,
    config.NanoCpus > 0 ? t("cpuLimit", { cpus: config.NanoCpus / 1e9 }) : null,
    typeof config.PidsLimit === "number" && config.PidsLimit > 0 ? t("pidsLimit", { pids: config.PidsLimit }) : null,
  ].filter((limit) => limit !== null);
  return [
    {
      label: t("image"),
      value: (
        <Link href={`/images/${encodeURIComponent(host)}/${encodeURIComponent(details.Image)}`} className="break-all hover:underline">
          {details.Config.Image}
        </Link>
      ),
    },
    {
      label: t("command"),
      isMono: true,
      value: joinWords([details.Path, ...details.Args].filter((word, index) => index > 0 || word !== "")),
    },
    {
      label: t("restart"),
      value:
        policy === "on-failure" && restart?.MaximumRetryCount ? `${policy}, ${t("retries", { count: restart.MaximumRetryCount })}` : policy,
    },
    { label: t("limits"), value: limits.length === 0 ? t("noLimits") : limits.join(" · ") },
    ...(config.Privileged ? [{ label: t("rights"), value: <Badge tone="warn">{t("privileged")}</Badge> }] : []),
    ...(config.AutoRemove ? [{ label: t("afterwards"), value: t("autoRemove") }] : []),
  ];
}

/** The newest health probes, the last one first. */
function HealthLog({ details }: { details: ContainerDetails }): ReactNode {
  const t = useTranslations("container.status");
  const probes = (details.State.Health?.Log ?? []).slice(-3).reverse();
  return (
    <Panel title={t("probes")} className="lg:col-span-2">
      <ul className="space-y-2">
        {probes.map((probe) => {
          const time = parseTime(probe.End);
          return (
            <li key={probe.Start} className="flex items-start gap-3 text-sm">
              <Badge tone={probe.ExitCode === 0 ? "ok" : "bad"} className="tnum">
                {probe.ExitCode}
              </Badge>
              <code className="min-w-0 flex-1 font-mono text-xs leading-5 break-words whitespace-pre-wrap">
                {probe.Output.trim() || "–"}
              </code>
              {time === null ? null : <TimeAgo time={time} className="shrink-0 text-xs text-muted" />}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
