"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { activityDetail, activityHref, activityObject, activityObjectId } from "@/lib/activity.ts";
import type { Tone } from "@/lib/container-state.ts";
import { parseTime } from "@/lib/format.ts";
import type { ActivityRow } from "@/trpc/types.ts";

const TONES: Readonly<Record<ActivityRow["outcome"], Tone>> = { ok: "idle", started: "info", refused: "warn", failed: "bad" };

/** One audit row: who did what to what, with which outcome. */
export function ActivityLine({ row, isDetailed = false }: { row: ActivityRow; isDetailed?: boolean }): ReactNode {
  const t = useTranslations("activity");
  const href = activityHref(row.action, row.object);
  const time = parseTime(row.time);
  const detail = activityDetail(row.detail);
  const shownId = activityObjectId(row.object);
  return (
    <li className="flex items-start gap-3 border-b px-4 py-2 last:border-b-0">
      <div className="min-w-0 flex-1 text-sm">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="break-words">{row.actor.name}</span>
          <code className="font-mono text-xs text-muted">{row.action}</code>
          {href === null ? (
            <span className="break-all">{activityObject(row.object.name)}</span>
          ) : (
            <Link href={href} className="break-all hover:underline">
              {activityObject(row.object.name)}
            </Link>
          )}
          {shownId === null ? null : <code className="font-mono text-xs text-faint">{shownId}</code>}
          {row.outcome === "ok" ? (
            <span className="sr-only">{t("outcomes.ok")}</span>
          ) : (
            <Badge tone={TONES[row.outcome]}>{t(`outcomes.${row.outcome}`)}</Badge>
          )}
        </p>
        {isDetailed && detail !== "" ? <p className="text-xs break-words text-muted">{detail}</p> : null}
        {isDetailed
          ? row.changes.map(({ field, from, to }) => (
              <p key={field} className="text-xs break-words text-muted">
                {t("change", { field, from: shown(from, t("nothing")), to: shown(to, t("nothing")) })}
              </p>
            ))
          : null}
        {isDetailed && row.address !== null ? <p className="text-xs text-muted sm:hidden">{row.address}</p> : null}
      </div>
      {isDetailed && row.address !== null ? (
        <span className="tnum shrink-0 text-xs leading-5 text-muted max-sm:hidden">{row.address}</span>
      ) : null}
      {time === null ? null : <TimeAgo time={time} className="shrink-0 text-xs leading-5 text-muted" />}
    </li>
  );
}

function shown(value: string | number | boolean | null, nothing: string): string {
  return value === null || value === "" ? nothing : String(value);
}
