"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { TONE_TEXTS } from "@/components/networks/pair-sign.tsx";
import { MAX_DRAWN_HOSTS, WithMesh } from "@/components/networks/use-mesh.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { layOutMap, MAP, PAIR_TONES, type MapArc, type PairSign } from "@/lib/mesh-view.ts";
import type { Mesh } from "@/trpc/types.ts";

/** Hosts and the networks between them, as they are now. */
export function TopologyPanel(): ReactNode {
  const t = useTranslations("mesh");
  return (
    <WithMesh needsPairs={false}>
      {(mesh) => (
        <Panel title={t("mapTitle")} isFlush>
          {mesh.hosts.length > MAX_DRAWN_HOSTS ? (
            <p className="border-b px-4 py-2 text-sm text-muted">{t("mapTooLarge", { count: mesh.hosts.length })}</p>
          ) : (
            <MeshMapView mesh={mesh} />
          )}
          <NetworkLines mesh={mesh} />
        </Panel>
      )}
    </WithMesh>
  );
}

const STROKES = { ok: "stroke-ok", warn: "stroke-warn", bad: "stroke-bad", info: "stroke-info", idle: "stroke-faint" } as const;
const STANDING_STROKES = { up: "stroke-line-strong", "cut-off": "stroke-warn", down: "stroke-bad" } as const;
const STANDING_FILLS = { up: "fill-ok", "cut-off": "fill-warn", down: "fill-bad" } as const;
/** What is written on an arc: a letter, so that colour is not the only sign. */
const GLYPHS: Readonly<Record<PairSign, string>> = {
  ok: "",
  slow: "…",
  lossy: "%",
  narrow: "≤",
  shut: "⊘",
  down: "✕",
  stale: "?",
  unknown: "?",
  none: "",
};

function MeshMapView({ mesh }: { mesh: Mesh }): ReactNode {
  const t = useTranslations("mesh");
  const used = mesh.networks.filter(({ hosts }) => hosts.length > 0);
  const map = layOutMap({ ...mesh, networks: used });
  const hosts = new Map(mesh.hosts.map((host) => [host.id, host]));
  const names = new Map(mesh.hosts.map(({ id, name }) => [id, name]));
  return (
    <div className="overflow-x-auto border-b px-2 py-4" tabIndex={0} role="region" aria-label={t("mapTitle")}>
      <svg
        role="group"
        aria-label={t("mapLabel", { hosts: mesh.hosts.length, networks: used.length, troubles: map.arcs.length })}
        width={Math.max(map.width, 300)}
        height={map.height}
        viewBox={`0 0 ${Math.max(map.width, 300)} ${map.height}`}
        className="mx-auto block font-sans"
      >
        {map.arcs.map((arc) => (
          <Arc key={arc.key} arc={arc} names={names} />
        ))}
        {map.rows.map((row) => {
          const network = used.find(({ id }) => id === row.id);
          return (
            <g key={row.id} aria-hidden>
              {row.dots.map(({ x }) => (
                <line
                  key={x}
                  x1={x}
                  x2={x}
                  y1={map.hostsY + MAP.host.height}
                  y2={row.y}
                  className="stroke-line-strong"
                  strokeDasharray="2 3"
                />
              ))}
              <line
                x1={row.fromX - 14}
                x2={row.toX + 14}
                y1={row.y}
                y2={row.y}
                strokeWidth={3}
                strokeLinecap="round"
                className={network?.hasProblem === true ? "stroke-bad" : "stroke-info"}
              />
              <text x={row.fromX - 14} y={row.y - 15} className="fill-ink text-xs font-medium">
                {network?.hasProblem === true ? "⚠ " : ""}
                {network?.name}
              </text>
              {row.dots.map(({ x, members }) => (
                <g key={x}>
                  <circle cx={x} cy={row.y} r={9} className="fill-panel stroke-info" strokeWidth={2} />
                  <text x={x} y={row.y + 4} textAnchor="middle" className="tnum fill-ink text-xs">
                    {members}
                  </text>
                </g>
              ))}
            </g>
          );
        })}
        {map.hosts.map(({ id, name, x }) => {
          const standing = hosts.get(id)?.standing ?? "down";
          return (
            <Link key={id} href={`/hosts/${encodeURIComponent(name)}`}>
              <rect
                x={x - MAP.host.width / 2}
                y={map.hostsY}
                width={MAP.host.width}
                height={MAP.host.height}
                rx={8}
                className={`fill-raised ${STANDING_STROKES[standing]}`}
                strokeWidth={standing === "up" ? 1 : 2}
                strokeDasharray={standing === "down" ? "5 4" : undefined}
              />
              <foreignObject x={x - MAP.host.width / 2} y={map.hostsY + 6} width={MAP.host.width} height={22}>
                <p className="truncate px-2 text-center text-sm font-medium text-ink">{name}</p>
              </foreignObject>
              <circle cx={x - MAP.host.width / 2 + 16} cy={map.hostsY + 37} r={3.5} className={STANDING_FILLS[standing]} />
              <text x={x - MAP.host.width / 2 + 26} y={map.hostsY + 41} className="fill-muted text-xs">
                {t(`standing.${standing}`)}
              </text>
            </Link>
          );
        })}
      </svg>
    </div>
  );
}

/** A pair of hosts with trouble. The networks need no such words: the list below the drawing has them. */
function Arc({ arc, names }: { arc: MapArc; names: ReadonlyMap<string, string> }): ReactNode {
  const t = useTranslations("mesh");
  const [from, to] = [names.get(arc.from) ?? arc.from, names.get(arc.to) ?? arc.to];
  const tone = PAIR_TONES[arc.sign];
  return (
    <g role="img" aria-label={t("mapPair", { from, to, sign: t(`signs.${arc.sign}`) })}>
      <path
        d={arc.path}
        fill="none"
        strokeWidth={1.5}
        strokeDasharray={arc.sign === "down" ? "5 4" : undefined}
        className={STROKES[tone]}
      />
      <circle cx={arc.label.x} cy={arc.label.y} r={9} className={`fill-panel ${STROKES[tone]}`} />
      <text x={arc.label.x} y={arc.label.y + 4} textAnchor="middle" className={`text-xs ${TONE_TEXTS[tone].replace("text-", "fill-")}`}>
        {GLYPHS[arc.sign]}
      </text>
    </g>
  );
}

/** The same in words; beyond what can be drawn it is all there is. */
function NetworkLines({ mesh }: { mesh: Mesh }): ReactNode {
  const t = useTranslations("mesh");
  const list = useTranslations("networks");
  const names = new Map(mesh.hosts.map(({ id, name }) => [id, name]));
  if (mesh.networks.length === 0) return <p className="px-4 py-3 text-sm text-muted">{t("noNetworks")}</p>;
  return (
    <ul className="divide-y">
      {mesh.networks.map((network) => (
        <li key={network.id} className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-4 py-2.5 text-sm">
          <Link href={`/networks/${encodeURIComponent(network.name)}`} className="truncate font-medium hover:underline">
            {network.name}
          </Link>
          {network.hasProblem ? <Badge tone="bad">{list("problems", { count: 1 })}</Badge> : null}
          <span className="font-mono text-xs text-muted">{network.subnet}</span>
          <span className="min-w-0 text-xs text-muted sm:ml-auto">
            {network.hosts.length === 0
              ? t("nobody")
              : network.hosts.map(({ id, members }) => `${names.get(id) ?? id} (${members})`).join(", ")}
          </span>
        </li>
      ))}
    </ul>
  );
}
