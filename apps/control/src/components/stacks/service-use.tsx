"use client";

import { useSubscription } from "@trpc/tanstack-react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Chart } from "@/components/stats/chart.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { formatBytes, formatPercent } from "@/lib/format.ts";
import { useTRPC } from "@/trpc/client.ts";

type Sum = { time: string; replicas: number; cpuPercent: number; memoryBytes: number };

/** Five minutes at one sum a second. */
const POINTS = 300;

/** Processors and memory of a service over all its replicas, live while it is shown. */
export function ServiceUse({ stack, service }: { stack: string; service: string }): ReactNode {
  const t = useTranslations("stacks.service");
  const trpc = useTRPC();
  const [points, setPoints] = useState<readonly Sum[]>([]);
  const { error } = useSubscription(
    trpc.services.onStats.subscriptionOptions(
      { stack, service },
      { onData: (sum) => setPoints((before) => [...before.slice(1 - POINTS), sum]) },
    ),
  );
  const last = points.at(-1);
  if (error !== null) return <p className="text-sm text-bad">{error.message}</p>;
  if (last === undefined) return <Skeleton className="h-40" />;
  const times = points.map(({ time }) => Date.parse(time) / 1_000);
  return (
    <div className="grid gap-4 sm:grid-cols-2" data-service-use={last.replicas}>
      <Figure
        title={t("cpu")}
        value={formatPercent(last.cpuPercent)}
        times={times}
        values={points.map(({ cpuPercent }) => cpuPercent)}
        format={formatPercent}
        steps="decimal"
      />
      <Figure
        title={t("memory")}
        value={formatBytes(last.memoryBytes)}
        times={times}
        values={points.map(({ memoryBytes }) => memoryBytes)}
        format={formatBytes}
        steps="binary"
      />
      <p className="text-xs text-muted sm:col-span-2">{t("summed", { count: last.replicas })}</p>
    </div>
  );
}

type FigureProps = {
  title: string;
  value: string;
  times: readonly number[];
  values: readonly number[];
  format: (value: number) => string;
  steps: "decimal" | "binary";
};

function Figure({ title, value, times, values, format, steps }: FigureProps): ReactNode {
  return (
    <figure className="min-w-0">
      <figcaption className="flex items-baseline justify-between gap-2 text-sm">
        <span className="text-muted">{title}</span>
        <span className="tnum font-medium">{value}</span>
      </figcaption>
      <Chart label={title} times={times} series={[{ label: title, color: "info", values }]} format={format} steps={steps} />
    </figure>
  );
}
