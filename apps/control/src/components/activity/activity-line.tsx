"use client";

import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Link } from "@/components/ui/link.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { activityDetail, activityHref, activityObject, activityObjectId } from "@/lib/activity.ts";
import type { Tone } from "@/lib/container-state.ts";
import { parseTime } from "@/lib/format.ts";
import type { ActivityRow } from "@/trpc/types.ts";

const TONES: Readonly<Record<ActivityRow["outcome"], Tone>> = { ok: "idle", started: "info", refused: "warn", failed: "bad" };

/** One audit row: who did what to what, with which outcome; in detail also from where and what became different. */
export function ActivityLine({ row, isDetailed = false }: { row: ActivityRow; isDetailed?: boolean }): ReactNode {
  const t = useTranslations("activity");
  const time = parseTime(row.time);
  const detail = isDetailed ? activityDetail(row.detail) : "";
  return (
    <li className="flex items-start gap-3 border-b px-4 py-2 last:border-b-0">
      <div className="min-w-0 flex-1 text-sm">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="break-words">{row.actor.name}</span>
          <code className="font-mono text-xs text-muted">{row.action}</code>
          <ObjectName row={row} />
          {row.outcome === "ok" ? (
            <span className="sr-only">{t("outcomes.ok")}</span>
          ) : (
            <Badge tone={TONES[row.outcome]}>{t(`outcomes.${row.outcome}`)}</Badge>
          )}
        </p>
        {detail === "" ? null : <p className="text-xs break-words text-muted">{detail}</p>}
        {isDetailed ? <Changes changes={row.changes} /> : null}
        {isDetailed && row.address !== null ? <p className="text-xs text-muted sm:hidden">{row.address}</p> : null}
      </div>
      {isDetailed && row.address !== null ? (
        <span className="tnum shrink-0 text-xs leading-5 text-muted max-sm:hidden">{row.address}</span>
      ) : null}
      {time === null ? null : <TimeAgo time={time} className="w-24 shrink-0 text-right text-xs leading-5 text-muted" />}
    </li>
  );
}

function ObjectName({ row }: { row: ActivityRow }): ReactNode {
  const href = activityHref(row.action, row.object);
  const shownId = activityObjectId(row.object);
  return (
    <>
      {href === null ? (
        <span className="break-all">{activityObject(row.object.name)}</span>
      ) : (
        <Link href={href} className="break-all hover:underline">
          {activityObject(row.object.name)}
        </Link>
      )}
      {shownId === null ? null : <code className="font-mono text-xs text-faint">{shownId}</code>}
    </>
  );
}

/** Field by field what it was and what it is. */
function Changes({ changes }: { changes: ActivityRow["changes"] }): ReactNode {
  const t = useTranslations("activity");
  if (changes.length === 0) return null;
  return (
    <dl className="mt-1 space-y-0.5 border-l-2 pl-3 text-xs">
      {changes.map(({ field, from, to }) => (
        <div key={field} className="flex flex-wrap items-baseline gap-x-2">
          <dt className="text-muted">{field}</dt>
          <dd className="flex min-w-0 flex-wrap items-baseline gap-x-1.5 font-mono">
            <del className="break-all text-muted">{shown(from, t("nothing"))}</del>
            <ArrowRight aria-label={t("becomes")} className="size-3 self-center text-muted" />
            <ins className="break-all no-underline">{shown(to, t("nothing"))}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function shown(value: string | number | boolean | null, nothing: string): string {
  return value === null || value === "" ? nothing : String(value);
}
