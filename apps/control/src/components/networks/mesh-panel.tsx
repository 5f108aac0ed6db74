"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { hostHref } from "@/components/hosts/host-columns.tsx";
import { PairIcon, TONE_SOFT } from "@/components/networks/pair-sign.tsx";
import { MAX_DRAWN_HOSTS, WithMesh } from "@/components/networks/use-mesh.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { cn } from "@/lib/cn.ts";
import {
  formatLoss,
  formatRtt,
  isTrouble,
  listTrouble,
  PAIR_TONES,
  pairKey,
  type PairSign,
  signOf,
  type Trouble,
} from "@/lib/mesh-view.ts";
import type { Mesh } from "@/trpc/types.ts";

const SHOWN_SIGNS: readonly PairSign[] = ["ok", "slow", "lossy", "narrow", "shut", "down", "stale"];
const STANDING_TONES = { up: "ok", "cut-off": "warn", down: "bad" } as const;

/** What every host sees of every other. */
export function MeshPanel(): ReactNode {
  const t = useTranslations("mesh");
  return (
    <WithMesh needsPairs>
      {(mesh) => (
        <div className="space-y-4">
          <TroubleList mesh={mesh} />
          {mesh.hosts.length > MAX_DRAWN_HOSTS ? null : (
            <Panel title={t("matrix")} isFlush>
              <Matrix mesh={mesh} />
              <Legend />
            </Panel>
          )}
          <Panel title={t("hosts")} isFlush>
            <Hosts mesh={mesh} />
          </Panel>
        </div>
      )}
    </WithMesh>
  );
}

function Matrix({ mesh }: { mesh: Mesh }): ReactNode {
  const t = useTranslations("mesh");
  const pairs = new Map(mesh.pairs.map((pair) => [pairKey(pair.from, pair.to), pair]));
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t("matrix")}>
      <table className="w-full border-collapse text-sm">
        <thead>
          <tr>
            <th scope="col" className="sticky left-0 z-10 bg-panel px-4 py-2 text-left text-xs font-normal whitespace-nowrap text-muted">
              {t("fromTo")}
            </th>
            {mesh.hosts.map((host) => (
              <th key={host.id} scope="col" className="max-w-32 truncate px-2 py-2 text-left text-xs font-medium">
                {host.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {mesh.hosts.map((from) => (
            <tr key={from.id} className="border-t">
              <th scope="row" className="sticky left-0 z-10 max-w-36 truncate bg-panel px-4 py-2 text-left text-xs font-medium">
                {from.name}
              </th>
              {mesh.hosts.map((to) => (
                <td key={to.id} className="p-1 align-top">
                  {from.id === to.id ? (
                    <span className="block min-h-11 rounded-md bg-hover/50" />
                  ) : (
                    <Cell pair={pairs.get(pairKey(from.id, to.id))} />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ pair }: { pair: Mesh["pairs"][number] | undefined }): ReactNode {
  const t = useTranslations("mesh");
  const sign = signOf(pair);
  return (
    <span className={cn("block min-h-11 min-w-24 rounded-md px-2 py-1", TONE_SOFT[PAIR_TONES[sign]])}>
      <span className="flex items-center gap-1.5 font-medium">
        <PairIcon sign={sign} />
        <span className="tnum whitespace-nowrap">
          {sign === "ok" || isTrouble(sign)
            ? sign === "down" || sign === "shut"
              ? t(`signs.${sign}`)
              : formatRtt(pair?.rttP50Micros ?? null)
            : t(`signs.${sign}`)}
        </span>
      </span>
      {pair === undefined || pair.state !== "up" ? null : (
        <span className="tnum block text-xs whitespace-nowrap text-muted">
          {pair.lossPerMille > 0 ? `${t("loss", { loss: formatLoss(pair.lossPerMille) })} · ` : null}
          {pair.pathMtuBytes === null ? t("mtuSearching") : t("mtu", { mtu: String(pair.pathMtuBytes) })}
        </span>
      )}
    </span>
  );
}

function Legend(): ReactNode {
  const t = useTranslations("mesh");
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 border-t px-4 py-2 text-xs text-muted">
      {SHOWN_SIGNS.map((sign) => (
        <li key={sign} className="flex items-center gap-1.5">
          <PairIcon sign={sign} />
          {t(`signs.${sign}`)}
        </li>
      ))}
    </ul>
  );
}

/** What somebody should look at, in sentences: the matrix shows it, this says it. */
function TroubleList({ mesh }: { mesh: Mesh }): ReactNode {
  const t = useTranslations("mesh");
  const lines = listTrouble(mesh);
  return (
    <Panel title={lines.length === 0 ? t("allWell") : t("trouble.title", { count: lines.length })}>
      {lines.length === 0 ? (
        <p className="flex items-center gap-2 text-sm text-muted">
          <PairIcon sign="ok" />
          {t("allWellBody")}
        </p>
      ) : (
        <ul className="space-y-1.5 text-sm">
          {lines.map((trouble) => (
            <li key={trouble.key} className="flex items-start gap-2">
              <PairIcon sign={trouble.kind === "network" ? "narrow" : trouble.sign} className="mt-0.5" />
              <span className="min-w-0 break-words">
                <TroubleText trouble={trouble} hosts={mesh.hosts} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function TroubleText({ trouble, hosts }: { trouble: Trouble; hosts: Mesh["hosts"] }): ReactNode {
  const t = useTranslations("mesh.trouble");
  const name = (id: string): string => hosts.find((host) => host.id === id)?.name ?? id;
  const ends = { from: name(trouble.from), to: name(trouble.to) };
  if (trouble.kind === "network")
    return t("network", { network: trouble.network, ...ends, needs: trouble.needsBytes, carries: trouble.pathMtuBytes });
  const { sign, pair, isBothWays } = trouble;
  if (sign === "lossy") return t(isBothWays ? "lossyBoth" : "lossy", { ...ends, loss: formatLoss(pair.lossPerMille) });
  if (sign === "narrow") return t("narrow", { ...ends, mtu: pair.pathMtuBytes ?? 0 });
  if (sign === "shut") return t(isBothWays ? "shutBoth" : "shut", ends);
  if (sign === "slow") return t("slow", { ...ends, rtt: formatRtt(pair.rttP50Micros) });
  return t(isBothWays ? "downBoth" : "down", ends);
}

function Hosts({ mesh }: { mesh: Mesh }): ReactNode {
  const t = useTranslations("mesh");
  return (
    <ul className="divide-y">
      {mesh.hosts.map((host) => {
        const seen = mesh.pairs.filter((pair) => pair.from === host.id && !pair.isStale);
        return (
          <li key={host.id} className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 py-2.5 text-sm">
            <Link href={hostHref(host)} className="min-w-24 truncate font-medium hover:underline">
              {host.name}
            </Link>
            <Status tone={STANDING_TONES[host.standing]}>{t(`standing.${host.standing}`)}</Status>
            <span className="tnum text-xs text-muted">
              {host.address === null ? t("noAddress") : <span className="font-mono">{host.address}</span>}
              {host.linkMtuBytes === null ? null : ` · ${t("mtu", { mtu: String(host.linkMtuBytes) })}`}
            </span>
            <span className="tnum ml-auto text-xs text-muted">
              {host.isProbed
                ? t("reaches", { count: seen.filter(({ state }) => state === "up").length, total: mesh.hosts.length - 1 })
                : t("notProbed")}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
