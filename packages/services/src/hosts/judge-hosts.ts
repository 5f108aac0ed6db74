import { HEARTBEAT_INTERVAL_MS, observedPeers, PEERS } from "@flotilla/protocol";
import type { ServiceContext } from "../context.ts";
import { enqueueEvent } from "../webhooks/events.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { lastSeenStepMs } from "./heartbeat-pace.ts";
import { type HostEvidence, type HostStanding, judgeHost, UNHEARD_AFTER_MS } from "./judge-host.ts";

/** A host as it is judged. */
export type JudgedRow = { id: string; teamId: string; name: string; number: number; lastSeenAt: Date | null; downSince: Date | null };
export type JudgedHost = JudgedRow & { standing: HostStanding };

/** Hosts of one team or of all, and how they stand now. */
export async function readStandings(services: ServiceContext, teamId?: string): Promise<JudgedHost[]> {
  const where = teamId === undefined ? {} : { teamId };
  const rows = await services.prisma.host.findMany({
    where,
    select: { id: true, teamId: true, name: true, number: true, lastSeenAt: true, downSince: true },
  });
  const heard = new Map(rows.map((row) => [row.id, readSilence(services, row, rows.length)]));
  const isHeard = ({ id }: JudgedRow): boolean => {
    const silence = heard.get(id);
    return silence !== undefined && silence.silentMs <= UNHEARD_AFTER_MS + silence.uncertaintyMs;
  };
  // While all are heard, which is nearly always, nobody need be asked.
  const reports = rows.every(isHeard) ? [] : await readReports(services, rows.filter(isHeard));
  return rows.map((row) => {
    const peers = reports.filter(({ teamId: team }) => team === row.teamId).flatMap(({ reaches }) => reaches.get(row.number) ?? []);
    const silence = heard.get(row.id) ?? { silentMs: 0, uncertaintyMs: 0 };
    return { ...row, standing: judgeHost({ ...silence, peers }) };
  });
}

/**
 * Marks hosts that are down and those that are there again. A host whose connection another control plane holds is that one's to
 * judge; what nobody holds everybody judges, from the same rows. @returns their ids.
 */
export async function judgeHosts(services: ServiceContext): Promise<string[]> {
  const judged = (await readStandings(services)).filter(({ id }) => !services.links.state(id).isElsewhere);
  const changed = judged.filter(({ standing, downSince }) => (standing === "down") !== (downSince !== null));
  for (const host of changed) await setDown(services, host, host.standing === "down");
  return changed.map(({ id }) => id);
}

/** Heard here to the millisecond, or by another control plane as the database says. */
function readSilence(services: ServiceContext, row: JudgedRow, hosts: number): Pick<HostEvidence, "silentMs" | "uncertaintyMs"> {
  const here = services.links.state(row.id).lastSeenAtMs ?? 0;
  const elsewhere = row.lastSeenAt?.getTime() ?? 0;
  const silentMs = services.nowMs() - Math.max(here, elsewhere);
  return { silentMs, uncertaintyMs: elsewhere > here ? lastSeenStepMs(hosts) + HEARTBEAT_INTERVAL_MS : 0 };
}

type Report = { teamId: string; reaches: Map<number, boolean> };

/** What hosts that are heard say of their peers. Only they: what others said last may be old. */
async function readReports(services: ServiceContext, reporters: readonly JudgedRow[]): Promise<Report[]> {
  const teams = new Map(reporters.map(({ id, teamId }) => [id, teamId]));
  const rows = await services.prisma.hostObserved.findMany({
    where: { key: PEERS, hostId: { in: [...teams.keys()] } },
    select: { hostId: true, body: true },
  });
  return rows.map(({ hostId, body }) => {
    const peers = observedPeers.safeParse(body).data?.peers ?? [];
    const known = peers.filter(({ state }) => state !== "unknown").map(({ number, state }) => [number, state === "up"] as const);
    return { teamId: teams.get(hostId) ?? "", reaches: new Map(known) };
  });
}

async function setDown(services: ServiceContext, { id, teamId, name }: JudgedRow, isDown: boolean): Promise<void> {
  const downSince = isDown ? new Date(services.nowMs()) : null;
  await services.prisma.$transaction(async (tx) => {
    // Of control planes that judge at once one changes it, and tells.
    const { count } = await tx.host.updateMany({ where: { id, downSince: isDown ? null : { not: null } }, data: { downSince } });
    if (count > 0) await enqueueEvent(tx, { teamId, type: isDown ? "host.down" : "host.up", data: { id, host: name } });
    await notifyHostState(tx, { teamId });
  });
  services.logger.info(isDown ? "host counts as down" : "host counts as there again", { hostId: id });
}
