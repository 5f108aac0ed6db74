"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { Button } from "@/components/ui/button.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { parseTime } from "@/lib/format.ts";
import { phaseTone, replicaPhase } from "@/lib/stack-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** The phases that a replica was in, when it is asked for. */
export function ReplicaHistory({ stack, replica }: { stack: string; replica: string }): ReactNode {
  const t = useTranslations("stacks.replica");
  const [isOpen, setIsOpen] = useState(false);
  return (
    <div className="mt-2">
      <Button size="sm" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        {t("history")}
      </Button>
      {isOpen ? <Events stack={stack} replica={replica} /> : null}
    </div>
  );
}

function Events({ stack, replica }: { stack: string; replica: string }): ReactNode {
  const t = useTranslations("stacks.replica");
  const locale = useLocale();
  const say = useReasons();
  const trpc = useTRPC();
  const query = useQuery(trpc.stacks.replicaHistory.queryOptions({ stack, replica }));
  if (query.isPending) return null;
  if (query.isError) return <p className="mt-1 text-bad">{errorMessage(query.error)}</p>;
  if (query.data.length === 0) return <p className="mt-1 text-muted">{t("noHistory")}</p>;
  return (
    <ol aria-label={t("history")} className="mt-1.5 max-h-64 space-y-1 overflow-y-auto">
      {query.data.map(({ id, time, phase, said }) => {
        const at = parseTime(time);
        const known = replicaPhase({ state: "run", phase });
        return (
          <li key={id} className="grid grid-cols-[9.5rem_minmax(0,1fr)] gap-x-3">
            <time dateTime={time} className="tnum text-xs leading-5 text-faint" suppressHydrationWarning>
              {at === null ? "" : new Date(at).toLocaleString(locale, { hour12: false })}
            </time>
            <span className="min-w-0">
              <Status tone={phaseTone(known)}>{t(`phases.${known}`)}</Status>
              {said.length === 0 ? null : <span className="block text-xs break-words text-muted">{say(said, "")}</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
