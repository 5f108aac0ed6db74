"use client";

import { ChevronRight, CircleAlert, Info, TriangleAlert } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { AttentionDetail, AttentionTitle } from "@/components/overview/attention-words.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { cn } from "@/lib/cn.ts";
import { parseTime } from "@/lib/format.ts";
import type { Attention } from "@/trpc/types.ts";

const SEVERITIES = {
  critical: { icon: CircleAlert, color: "text-bad" },
  warning: { icon: TriangleAlert, color: "text-warn" },
  info: { icon: Info, color: "text-info" },
} as const;

const SHOWN = 12;

/** What somebody should look at, worst first: what, where, since when, and the one link to where it can be mended. */
export function AttentionList({ items }: { items: readonly Attention[] }): ReactNode {
  const t = useTranslations("overview");
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? items : items.slice(0, SHOWN);
  return (
    <Panel title={t("attention", { count: items.length })} isFlush>
      <ul aria-label={t("attention", { count: items.length })}>
        {shown.map((item) => (
          <AttentionRow key={`${item.code} ${item.href} ${"from" in item ? `${item.from} ${item.to}` : ""}`} item={item} />
        ))}
      </ul>
      {shown.length < items.length ? (
        <Button variant="ghost" className="w-full rounded-t-none border-t" onClick={() => setWhole(true)}>
          {t("showMore", { count: items.length - shown.length })}
        </Button>
      ) : null}
    </Panel>
  );
}

function AttentionRow({ item }: { item: Attention }): ReactNode {
  const t = useTranslations("overview");
  const { icon: Icon, color } = SEVERITIES[item.severity];
  const since = parseTime(item.since);
  return (
    <li className="border-b last:border-b-0">
      <Link href={item.href} className="group flex min-h-13 items-center gap-3 px-4 py-2 hover:bg-hover focus-visible:-outline-offset-2">
        <Icon aria-hidden className={cn("size-4 shrink-0", color)} />
        <span className="min-w-0 flex-1">
          <span className="block text-sm font-medium break-words">
            <span className="sr-only">{t(`severities.${item.severity}`)}: </span>
            <AttentionTitle item={item} />
          </span>
          <span className="block truncate text-xs text-muted max-sm:whitespace-normal">
            <AttentionDetail item={item} />
          </span>
        </span>
        {since === null ? null : <TimeAgo time={since} className="shrink-0 text-xs text-muted max-sm:hidden" />}
        <span className="flex w-36 shrink-0 items-center justify-end gap-1 text-xs text-muted group-hover:text-ink max-sm:w-auto">
          <span className="max-sm:sr-only">{t(`actions.${item.code}`)}</span>
          <ChevronRight aria-hidden className="size-3.5" />
        </span>
      </Link>
    </li>
  );
}
