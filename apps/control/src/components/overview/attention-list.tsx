"use client";

import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { cn } from "@/lib/cn.ts";
import { parseTime } from "@/lib/format.ts";
import type { Overview } from "@/trpc/types.ts";

type Attention = Overview["attention"][number];

const SEVERITIES = {
  critical: { icon: CircleAlert, color: "text-bad" },
  warning: { icon: TriangleAlert, color: "text-warn" },
  info: { icon: Info, color: "text-info" },
} as const;

/** What somebody should look at, worst first, each a link to where it can be seen and mended. */
export function AttentionList({ items }: { items: readonly Attention[] }): ReactNode {
  const t = useTranslations("overview");
  return (
    <Panel title={t("attention", { count: items.length })} isFlush>
      <ul>
        {items.map((item) => {
          const { icon: Icon, color } = SEVERITIES[item.severity];
          return (
            <li key={`${item.href} ${item.code}`} className="border-b last:border-b-0">
              <Link href={item.href} className="flex items-start gap-3 px-4 py-2.5 hover:bg-hover focus-visible:-outline-offset-2">
                <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", color)} />
                <span className="min-w-0">
                  <span className="block text-sm font-medium break-words">
                    <span className="sr-only">{t(`severities.${item.severity}`)}: </span>
                    <Title item={item} />
                  </span>
                  <span className="block text-sm break-words text-muted">
                    <Detail item={item} />
                  </span>
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

function Title({ item }: { item: Attention }): ReactNode {
  const t = useTranslations("overview.causes");
  switch (item.code) {
    case "hostFlagged":
      return t("hostFlagged", { host: item.host });
    case "hostOffline":
      return t("hostOffline", { host: item.host });
    case "diskFull":
      return t("diskFull", { host: item.host, percent: item.percent });
    case "crashed":
      return t("crashed", { container: item.container, exitCode: item.exitCode });
    case "dead":
    case "restarting":
    case "unhealthy":
      return t(item.code, { container: item.container });
  }
}

function Detail({ item }: { item: Attention }): ReactNode {
  const t = useTranslations("overview.causes");
  switch (item.code) {
    case "hostFlagged":
      return `${item.flag}. ${t("newKey")}`;
    case "hostOffline": {
      const time = parseTime(item.lastSeenAt);
      return time === null ? t("neverSeen") : t.rich("lastSeen", { time: () => <TimeAgo time={time} /> });
    }
    case "diskFull":
      return t("makeRoom");
    case "crashed":
    case "dead":
    case "restarting":
    case "unhealthy":
      return `${item.host} · ${item.image}`;
  }
}
