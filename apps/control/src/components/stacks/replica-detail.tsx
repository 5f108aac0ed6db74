"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { ReplicaHistory } from "@/components/stacks/replica-history.tsx";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { cn } from "@/lib/cn.ts";
import { parseTime } from "@/lib/format.ts";
import { phaseTone, replicaPhase } from "@/lib/stack-state.ts";
import type { StackReplica } from "@/trpc/types.ts";

/** Everything that its host says of a replica: in words why it does not serve, with exit code, health check and last lines. */
export function ReplicaDetail({ stack, replica }: { stack: string; replica: StackReplica }): ReactNode {
  const t = useTranslations("stacks.replica");
  const say = useReasons();
  const phase = replicaPhase(replica);
  const created = parseTime(replica.createdAt);
  const name = /^\d+$/.test(replica.slot) ? t("numbered", { slot: replica.slot, host: replica.host.name }) : replica.host.name;
  return (
    <div className="rounded-md border px-3 py-2.5 text-sm" data-replica-detail={replica.id}>
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">{name}</span>
        <Status tone={phaseTone(phase)}>{t(`phases.${phase}`)}</Status>
        {replica.exitCode === null ? null : <span className="tnum text-muted">{t("exitCode", { code: replica.exitCode })}</span>}
        {replica.restarts === 0 ? null : <span className="tnum text-muted">{t("restarts", { count: replica.restarts })}</span>}
        {created === null ? null : <TimeAgo time={created} className="text-xs text-muted" />}
        {replica.containerId === null ? null : (
          <Link
            href={`/containers/${encodeURIComponent(replica.host.name)}/${replica.containerId.slice(0, 12)}`}
            className="text-xs underline hover:text-muted sm:ml-auto"
          >
            {t("container")}
          </Link>
        )}
      </p>
      {replica.said.length === 0 ? null : (
        <p className={cn("mt-1 break-words", replica.reason === "" ? "text-muted" : "text-bad")}>{say(replica.said, "")}</p>
      )}
      {replica.because === "" ? null : (
        <p className="mt-1 text-xs break-words text-muted">{t("because", { reason: say(replica.reasons, replica.because) })}</p>
      )}
      <Output title={t("health")} text={replica.healthOutput.trim()} />
      <Output title={t("lastLines")} text={replica.log.join("\n")} />
      <ReplicaHistory stack={stack} replica={replica.id} />
    </div>
  );
}

function Output({ title, text }: { title: string; text: string }): ReactNode {
  if (text === "") return null;
  return (
    <div className="mt-2">
      <p className="text-xs text-muted">{title}</p>
      <pre
        tabIndex={0}
        className="mt-0.5 max-h-48 overflow-auto rounded-md bg-hover px-2 py-1.5 font-mono text-xs break-all whitespace-pre-wrap"
      >
        {text}
      </pre>
    </div>
  );
}
