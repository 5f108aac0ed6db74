"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { ReplicaDetail } from "@/components/stacks/replica-detail.tsx";
import { ToneSign } from "@/components/stacks/signs.tsx";
import { cn } from "@/lib/cn.ts";
import type { Tone } from "@/lib/container-state.ts";
import { phaseTone, replicaPhase, replicasByHost, troubled } from "@/lib/stack-state.ts";
import type { StackReplica } from "@/trpc/types.ts";

const BORDERS: Readonly<Record<Tone, string>> = {
  ok: "border-line-strong",
  info: "border-info/50 bg-info-soft",
  warn: "border-warn/50 bg-warn-soft",
  bad: "border-bad/50 bg-bad-soft",
  idle: "border-dashed border-line-strong",
};

/** Replicas host by host. What fails is told below without being asked; the rest when it is chosen. */
export function ReplicaGrid({ stack, replicas }: { stack: string; replicas: readonly StackReplica[] }): ReactNode {
  const t = useTranslations("stacks.replica");
  const [chosen, setChosen] = useState<string | null>(null);
  if (replicas.length === 0) return <p className="text-sm text-muted">{t("none")}</p>;
  const shown = replicas.filter(({ id }) => id === chosen);
  const failing = troubled(replicas).filter(({ id }) => id !== chosen);
  return (
    <div className="space-y-3">
      <ul className="grid grid-cols-[fit-content(6rem)_minmax(0,1fr)] gap-x-3 gap-y-2 sm:grid-cols-[8rem_minmax(0,1fr)]">
        {replicasByHost(replicas).map(({ host, replicas: here }) => (
          <li key={host} className="col-span-2 grid grid-cols-subgrid items-start">
            <span className="truncate pt-1 text-sm text-muted" title={host}>
              {host}
            </span>
            <span className="flex flex-wrap gap-1.5">
              {here.map((replica) => (
                <ReplicaChip
                  key={replica.id}
                  replica={replica}
                  isChosen={replica.id === chosen}
                  onChoose={() => setChosen(replica.id === chosen ? null : replica.id)}
                />
              ))}
            </span>
          </li>
        ))}
      </ul>
      {[...shown, ...failing.slice(0, 3)].map((replica) => (
        <ReplicaDetail key={replica.id} stack={stack} replica={replica} />
      ))}
      {failing.length > 3 ? <p className="text-xs text-muted">{t("moreFailing", { count: failing.length - 3 })}</p> : null}
    </div>
  );
}

type ChipProps = { replica: StackReplica; isChosen: boolean; onChoose: () => void };

function ReplicaChip({ replica, isChosen, onChoose }: ChipProps): ReactNode {
  const t = useTranslations("stacks.replica");
  const phase = replicaPhase(replica);
  const tone = phaseTone(phase);
  const number = /^\d+$/.test(replica.slot) ? replica.slot : "";
  const words =
    number === ""
      ? t("chipAlone", { phase: t(`phases.${phase}`), revision: replica.revision })
      : t("chip", { slot: number, phase: t(`phases.${phase}`), revision: replica.revision });
  return (
    <button
      type="button"
      aria-expanded={isChosen}
      title={words}
      data-replica={phase}
      onClick={onChoose}
      className={cn(
        "inline-flex h-7 items-center gap-1.5 rounded-md border px-2 text-xs transition-colors hover:border-ink",
        BORDERS[tone],
        isChosen && "border-ink",
        !replica.isCurrent && "border-dashed",
      )}
    >
      <span className="sr-only">{words}</span>
      <ToneSign tone={tone} />
      {number === "" ? null : (
        <span aria-hidden className="tnum font-medium">
          {number}
        </span>
      )}
      <span aria-hidden className="tnum text-muted">
        r{replica.revision}
      </span>
      {tone === "ok" ? null : (
        <span aria-hidden className="text-muted max-sm:hidden">
          {t(`phases.${phase}`)}
        </span>
      )}
    </button>
  );
}
