"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { hostHref } from "@/components/hosts/host-columns.tsx";
import { Meter } from "@/components/ui/meter.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import type { OverlayDetail } from "@/trpc/types.ts";

type OverlayHost = OverlayDetail["hosts"][number];

/** What each host has of a network: its blocks and their use, its MTU, and what is wrong. */
export function OverlayHosts({ hosts, isEncrypted }: { hosts: readonly OverlayHost[]; isEncrypted: boolean }): ReactNode {
  const t = useTranslations("network");
  return (
    <ul className="divide-y">
      {hosts.map((host) => (
        <li key={host.id} className="space-y-2 px-4 py-3 text-sm">
          <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
            <Link href={hostHref(host)} className="min-w-0 truncate font-medium hover:underline">
              {host.name}
            </Link>
            <span className="text-xs text-muted">
              {host.underlay === null ? null : <span className="font-mono">{host.underlay}</span>}
              {host.mtuBytes === null ? null : (
                <span className="tnum"> · {t("hostMtu", { mtu: host.mtuBytes, underlay: host.underlayMtuBytes ?? 0 })}</span>
              )}
              {!isEncrypted || host.encryption === null || host.encryption === "none" ? null : (
                <span> · {t(`encryption.${host.encryption}`)}</span>
              )}
            </span>
          </div>
          {host.blocks.map((block) => (
            <div key={block.cidr} className="grid grid-cols-[minmax(0,10rem)_minmax(0,1fr)] items-center gap-3">
              <span className="flex min-w-0 items-center gap-2">
                <span className="truncate font-mono text-xs">{block.cidr}</span>
                {block.isResting ? <Badge>{t("resting")}</Badge> : null}
              </span>
              <Meter
                percent={(100 * block.used) / block.size}
                label={t("blockUse", { cidr: block.cidr })}
                text={`${block.used} / ${block.size}`}
              />
            </div>
          ))}
          {host.problems.map((problem, index) => (
            <p
              key={index}
              className={problem.code === "silent" || problem.code === "offline" ? "text-xs text-muted" : "text-xs break-words text-bad"}
            >
              <ProblemText problem={problem} />
            </p>
          ))}
        </li>
      ))}
    </ul>
  );
}

function ProblemText({ problem }: { problem: OverlayHost["problems"][number] }): ReactNode {
  const t = useTranslations("network.problem");
  if (problem.code === "reported") return problem.message;
  if (problem.code === "pathMtu") return t("pathMtu", { host: problem.host, needs: problem.needsBytes, carries: problem.pathMtuBytes });
  return problem.code === "sameAddress" ? t("sameAddress", { host: problem.host }) : t(problem.code);
}
