"use client";

import { Check, CircleHelp, Minus, TriangleAlert, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Panel } from "@/components/ui/panel.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { cn } from "@/lib/cn.ts";
import type { ReachResult } from "@/trpc/types.ts";

type Hop = ReachResult["hops"][number];

const ICONS = { ok: Check, warn: TriangleAlert, failed: X, unknown: CircleHelp, skipped: Minus } as const;
const COLOURS = { ok: "text-ok", warn: "text-warn", failed: "text-bad", unknown: "text-muted", skipped: "text-faint" } as const;
const VERDICT_TONES = { yes: "ok", no: "bad", unsure: "warn" } as const;

/** The answer, and each hop with what was seen there. */
export function ReachResultView({ result }: { result: ReachResult }): ReactNode {
  const t = useTranslations("reach");
  const { verdict, failedHop, hops, from, address, protocol, port } = result;
  const target = `${address ?? "?"}${port === null ? "" : `${address?.includes(":") === true ? " " : ":"}${port}/${protocol}`}`;
  return (
    <Panel
      isFlush
      title={
        <span className="flex flex-wrap items-center gap-2">
          <Badge tone={VERDICT_TONES[verdict]}>{t(`verdict.${verdict}`)}</Badge>
          <span className="font-mono text-xs font-normal break-all text-muted">{`${from.host.name}/${from.container} → ${target}`}</span>
        </span>
      }
    >
      <p role="status" className="border-b px-4 py-3 text-sm">
        {failedHop === null ? t(`summary.${verdict}`) : t("summary.failed", { hop: t(`hops.${failedHop}`) })}
      </p>
      <ol className="divide-y">
        {hops.map((hop) => (
          <HopLine key={hop.hop} hop={hop} isCulprit={hop.hop === failedHop} />
        ))}
      </ol>
    </Panel>
  );
}

function HopLine({ hop, isCulprit }: { hop: Hop; isCulprit: boolean }): ReactNode {
  const t = useTranslations("reach");
  const Icon = ICONS[hop.state];
  return (
    <li
      className={cn(
        "grid grid-cols-[1rem_minmax(0,1fr)] gap-x-3 px-4 py-2.5 text-sm sm:grid-cols-[1rem_minmax(0,11rem)_minmax(0,1fr)]",
        isCulprit && "bg-bad-soft",
      )}
    >
      <Icon aria-label={t(`states.${hop.state}`)} className={cn("mt-0.5 size-4", COLOURS[hop.state])} />
      <span className={cn(hop.state === "skipped" ? "text-faint" : "font-medium")}>{t(`hops.${hop.hop}`)}</span>
      <span className={cn("min-w-0 break-words max-sm:col-start-2", hop.state === "skipped" ? "text-faint" : "text-muted")}>
        <HopText hop={hop} />
      </span>
    </li>
  );
}

/** A code that this page does not know, of a newer control plane, is shown as it is. */
function HopText({ hop }: { hop: Hop }): ReactNode {
  const t = useTranslations("reach.seen");
  const key = `${hop.hop}.${hop.code}`;
  return t.has(key as never) ? t(key as never, hop.values as never) : hop.code;
}
