"use client";

import { useSubscription } from "@trpc/tanstack-react-query";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo } from "@/components/time-ago.tsx";
import { containerTone, exitReason } from "@/lib/container-state.ts";
import { parseAnsi } from "@/lib/ansi.ts";
import { parseTime } from "@/lib/format.ts";
import type { ContainerDetails } from "@/lib/inspect.ts";
import { useTRPC } from "@/trpc/client.ts";

const LAST_LINES = 20;

/** Why the container is not running: its exit in words, the last lines it wrote, and where to look next. */
export function LastExit({ host, details }: { host: string; details: ContainerDetails }): ReactNode {
  const t = useTranslations("container.exit");
  const { State: state } = details;
  const finished = parseTime(state.FinishedAt);
  if (state.Running && state.Status !== "restarting") return null;
  if (finished === null && state.Error === "") return null;
  const isBad = containerTone({ state: state.Status, exitCode: state.ExitCode }) === "bad" || state.Status === "restarting";
  const reason = exitReason(state.ExitCode, state.OOMKilled);
  return (
    <section className={`min-w-0 rounded-lg border lg:col-span-2 ${isBad ? "border-bad/40" : ""}`}>
      <div className={`rounded-t-lg px-4 py-3 ${isBad ? "bg-bad-soft" : "bg-hover"}`}>
        <p className="text-sm font-medium">
          {t("title", { code: state.ExitCode })}
          {finished === null ? null : (
            <>
              {" · "}
              <TimeAgo time={finished} className="font-normal text-muted" />
            </>
          )}
        </p>
        <p className="text-sm text-muted">{t(`reasons.${reason}`)}</p>
        {state.Error === "" ? null : <p className="mt-1 font-mono text-xs break-words">{state.Error}</p>}
      </div>
      <LastLines host={host} id={details.Id} />
    </section>
  );
}

function LastLines({ host, id }: { host: string; id: string }): ReactNode {
  const t = useTranslations("container.exit");
  const trpc = useTRPC();
  const [lines, setLines] = useState<readonly string[]>([]);
  useSubscription(
    trpc.containers.onLogs.subscriptionOptions(
      { host, id, tail: LAST_LINES, follow: false, timestamps: false },
      { onData: (batch) => setLines((before) => [...before, ...batch.lines.map(({ text }) => text)].slice(-LAST_LINES)) },
    ),
  );
  if (lines.length === 0) return null;
  return (
    <div className="border-t">
      <pre
        tabIndex={0}
        className="flex max-h-56 flex-col-reverse overflow-auto px-4 py-3 font-mono text-xs leading-5 break-all whitespace-pre-wrap"
      >
        {/* Reversed twice: the box so begins at the last line. */}
        <code>
          {lines.map((line, index) => (
            <span key={index} className="block">
              {parseAnsi(line)
                .map((span) => span.text)
                .join("")}
            </span>
          ))}
        </code>
      </pre>
      <p className="border-t px-4 py-2 text-xs">
        <Link href="?tab=logs" className="text-muted underline hover:text-ink">
          {t("allLogs")}
        </Link>
      </p>
    </div>
  );
}
