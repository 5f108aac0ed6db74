"use client";

import { type ReactNode, useId } from "react";
import { useTranslations } from "use-intl";
import { Panel } from "@/components/ui/panel.tsx";
import { type GraphNode, layoutServices } from "@/lib/service-graph.ts";
import { type StackState, serviceState } from "@/lib/stack-state.ts";
import type { StackService } from "@/trpc/types.ts";

const BOX = { width: 132, height: 32 } as const;
const GAP = { x: 56, y: 14 } as const;
const EDGE = 6;

const FILLS: Readonly<Record<StackState, string>> = {
  running: "var(--ok)",
  degraded: "var(--warn)",
  rolling: "var(--info)",
  held: "var(--warn)",
  failed: "var(--bad)",
  removing: "var(--faint)",
};

const left = ({ column }: GraphNode): number => EDGE + column * (BOX.width + GAP.x);
const top = ({ row }: GraphNode): number => EDGE + row * (BOX.height + GAP.y);

/** Which service needs which: what is needed stands on the left. */
export function ServiceGraphPanel({ services }: { services: readonly StackService[] }): ReactNode {
  const t = useTranslations("stacks.graph");
  const marker = useId();
  const { nodes, edges, columns, rows } = layoutServices(services);
  const width = 2 * EDGE + columns * BOX.width + (columns - 1) * GAP.x;
  const height = 2 * EDGE + rows * BOX.height + (rows - 1) * GAP.y;
  const places = new Map(nodes.map((node) => [node.name, node]));
  const states = new Map(services.map((service) => [service.name, serviceState(service)]));
  return (
    <Panel title={t("title")}>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t("title")}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t("label")}>
          <title>{edges.map(({ from, to }) => t("edge", { service: to, needs: from })).join("; ")}</title>
          <defs>
            <marker id={marker} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0 8 4 0 8z" fill="var(--faint)" />
            </marker>
          </defs>
          {edges.map(({ from, to }) => {
            const [start, end] = [places.get(from), places.get(to)];
            if (start === undefined || end === undefined) return null;
            return <path key={`${from} ${to}`} d={curve(start, end)} fill="none" stroke="var(--faint)" markerEnd={`url(#${marker})`} />;
          })}
          {nodes.map((node) => (
            <g key={node.name} transform={`translate(${left(node)} ${top(node)})`}>
              <rect width={BOX.width} height={BOX.height} rx={6} fill="var(--panel)" stroke="var(--line-strong)" />
              <circle cx={14} cy={BOX.height / 2} r={4} fill={FILLS[states.get(node.name) ?? "running"]} />
              <text x={26} y={BOX.height / 2} dominantBaseline="central" fontSize={12} fill="var(--ink)">
                {node.name.length > 15 ? `${node.name.slice(0, 14)}…` : node.name}
              </text>
            </g>
          ))}
        </svg>
      </div>
    </Panel>
  );
}

function curve(from: GraphNode, to: GraphNode): string {
  const [x1, y1] = [left(from) + BOX.width, top(from) + BOX.height / 2];
  const [x2, y2] = [left(to) - 2, top(to) + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}
