"use client";

import { type ReactNode, useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "@/components/theme.tsx";

export type Series = { label: string; color: "info" | "muted"; values: readonly (number | null)[] };

export type ChartProps = {
  /** Seconds since 1970. */
  times: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
  /** `binary` puts the lines of the grid at powers of two, where sizes in bytes are round. */
  steps: "decimal" | "binary";
  /** A line that the figures should stay under, such as a memory limit. */
  ceiling?: number | undefined;
  label: string;
};

const HEIGHT = 160;
const TIME_AXIS_HEIGHT = 26;

/** A small chart of the last minutes. Drawn on a canvas: one that grows each second must not cost a layout. */
export function Chart({ times, series, format, steps, ceiling, label }: ChartProps): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { theme } = useTheme();
  const formatter = useRef(format);
  const names = series.map(({ label: name, color }) => `${name} ${color}`).join("|");
  useEffect(() => {
    formatter.current = format;
  });
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const created = new uPlot(chartOptions(element, { names, steps, format: (value) => formatter.current(value) }), [[]], element);
    plot.current = created;
    const observer = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = null;
    };
    // A new theme has new colours: they are read from CSS when the chart is made.
  }, [names, steps, theme]);
  useEffect(() => {
    const chart = plot.current;
    if (chart === null) return;
    const top = Math.max(ceiling ?? 0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
    chart.batch(() => {
      chart.setData([[...times], ...series.map(({ values }) => [...values])], false);
      const last = times.at(-1) ?? 0;
      chart.setScale("x", { min: Math.min(times[0] ?? 0, last - 60), max: last });
      chart.setScale("y", { min: 0, max: top > 0 ? top * 1.1 : 1 });
    });
  }, [times, series, ceiling, names, theme]);
  return <div ref={frame} role="img" aria-label={label} className="h-40 w-full min-w-0 overflow-hidden" />;
}

type Look = { names: string; steps: ChartProps["steps"]; format: (value: number) => string };

const BINARY_STEPS = Array.from({ length: 50 }, (_unused, power) => 2 ** power);

function chartOptions(element: HTMLElement, { names, steps, format }: Look): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: color("muted"), font: `11px ${style.fontFamily}`, ticks: { show: false } } as const;
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    // Room for the half of the last time label that stands right of its tick.
    padding: [8, 28, 0, 0],
    scales: { x: { time: true, auto: false }, y: { auto: false } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: TIME_AXIS_HEIGHT,
        space: 80,
        values: (_plot, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString(undefined, { hour12: false })),
      },
      {
        ...axis,
        grid: { stroke: color("line"), width: 1 },
        size: 68,
        space: 36,
        ...(steps === "binary" ? { incrs: BINARY_STEPS } : {}),
        values: (_plot, ticks) => ticks.map((tick) => format(tick)),
      },
    ],
    series: [
      {},
      ...names.split("|").map((name, index) => {
        const stroke = color(name.split(" ").at(-1) ?? "info");
        return { stroke, width: 1.5, points: { show: false }, ...(index === 0 ? { fill: `${stroke}1f` } : {}) };
      }),
    ],
  };
}
