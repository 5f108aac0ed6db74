"use client";

import { useSubscription } from "@trpc/tanstack-react-query";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { Chart, type Series } from "@/components/stats/chart.tsx";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { formatBytes, formatPercent } from "@/lib/format.ts";
import { addSample, EMPTY_WINDOW, type StatsPoint, type StatsWindow } from "@/lib/stats-window.ts";
import { useTRPC } from "@/trpc/client.ts";

export type StatsViewProps = { host: string; id: string; isRunning: boolean; cpus: number };

/** Five minutes at one sample a second. */
const POINTS = 300;

export function StatsView({ host, id, isRunning, cpus }: StatsViewProps): ReactNode {
  const t = useTranslations("stats");
  const trpc = useTRPC();
  const [samples, setSamples] = useState<StatsWindow>(EMPTY_WINDOW);
  const { error, reset } = useSubscription(
    trpc.containers.onStats.subscriptionOptions(
      { host, id },
      { enabled: isRunning, onData: (sample) => setSamples((before) => addSample(before, sample, POINTS)) },
    ),
  );
  if (!isRunning && samples.last === null) return <EmptyState title={t("stoppedTitle")} body={t("stoppedBody")} />;
  if (error !== null) return <ErrorState title={t("failed")} message={error.message} onRetry={reset} />;
  if (samples.last === null) return <Skeleton className="h-[28rem]" />;
  return <Charts samples={samples} last={samples.last} cpus={cpus} />;
}

function Charts({ samples, last, cpus }: { samples: StatsWindow; last: NonNullable<StatsWindow["last"]>; cpus: number }): ReactNode {
  const t = useTranslations("stats");
  const { points } = samples;
  const times = useMemo(() => points.map((point) => point.at), [points]);
  const newest = points.at(-1);
  const pick = (key: keyof StatsPoint): (number | null)[] => points.map((point) => point[key]);
  const rate = (value: number | null | undefined): string => `${formatBytes(value ?? 0)}/s`;
  const limit = last.memoryLimitBytes;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Figure
        title={t("cpu")}
        value={formatPercent(last.cpuPercent)}
        note={cpus > 0 ? t("ofCpus", { cpus }) : t("hundredIsOneCore")}
        times={times}
        series={[{ label: t("cpu"), color: "info", values: pick("cpuPercent") }]}
        format={formatPercent}
        steps="decimal"
        ceiling={cpus > 0 ? cpus * 100 : undefined}
      />
      <Figure
        title={t("memory")}
        value={formatBytes(last.memoryBytes)}
        note={limit > 0 ? t("ofMemory", { size: formatBytes(limit), percent: formatPercent((last.memoryBytes / limit) * 100) }) : ""}
        times={times}
        series={[{ label: t("memory"), color: "info", values: pick("memoryBytes") }]}
        format={formatBytes}
        steps="binary"
      />
      <Figure
        title={t("network")}
        value={`↓ ${rate(newest?.rxPerSecond)}  ↑ ${rate(newest?.txPerSecond)}`}
        note={t("totals", { first: formatBytes(last.netRxBytes), second: formatBytes(last.netTxBytes) })}
        times={times}
        series={[
          { label: t("received"), color: "info", values: pick("rxPerSecond") },
          { label: t("sent"), color: "muted", values: pick("txPerSecond") },
        ]}
        format={rate}
        steps="binary"
      />
      <Figure
        title={t("disk")}
        value={`${t("readShort")} ${rate(newest?.readPerSecond)}  ${t("writeShort")} ${rate(newest?.writePerSecond)}`}
        note={t("diskTotals", { first: formatBytes(last.blockReadBytes), second: formatBytes(last.blockWriteBytes), pids: last.pids })}
        times={times}
        series={[
          { label: t("read"), color: "info", values: pick("readPerSecond") },
          { label: t("written"), color: "muted", values: pick("writePerSecond") },
        ]}
        format={rate}
        steps="binary"
      />
    </div>
  );
}

type FigureProps = {
  title: string;
  value: string;
  note: string;
  times: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
  steps: "decimal" | "binary";
  ceiling?: number | undefined;
};

function Figure({ title, value, note, times, series, format, steps, ceiling }: FigureProps): ReactNode {
  return (
    <section className="min-w-0 rounded-lg border bg-panel p-4">
      <header className="mb-2 flex flex-wrap items-baseline justify-between gap-x-3">
        <h2 className="text-sm font-semibold">{title}</h2>
        <span className="tnum text-sm whitespace-pre">{value}</span>
      </header>
      <Chart times={times} series={series} format={format} steps={steps} ceiling={ceiling} label={`${title}: ${value}`} />
      <footer className="mt-2 flex flex-wrap gap-x-4 text-xs text-muted">
        {series.length > 1
          ? series.map(({ label, color }) => (
              <span key={label} className="inline-flex items-center gap-1.5">
                <span aria-hidden className={color === "info" ? "h-0.5 w-3 bg-info" : "h-0.5 w-3 bg-muted"} />
                {label}
              </span>
            ))
          : null}
        <span className="tnum ml-auto">{note}</span>
      </footer>
    </section>
  );
}
