import type { Transaction } from "@flotilla/db";
import type { Placement, RolloutPlan } from "@flotilla/planner";
import { formatReasons } from "./reasons.ts";
import type { ServiceScene } from "./rollout-scene.ts";
import type { ServiceRow, StackRow, StackRows } from "./stack-rows.ts";
import type { Step } from "./steps.ts";

type Round = { tx: Transaction; rows: StackRows; now: Date; steps: Step[]; isChanged: boolean };
type Planned = { stack: StackRow; service: ServiceRow; scene: ServiceScene; plan: RolloutPlan };

/** Writes what was planned and has a host: however many replicas, in one statement. */
export async function makeReplicas(round: Round, planned: readonly Planned[], placements: readonly Placement[]): Promise<void> {
  const { tx, now, rows, steps } = round;
  const hosts = new Map(rows.hosts.map(({ id, name }) => [id, name]));
  const byService = new Map(planned.map((item) => [item.service.id, item]));
  const made = placements.flatMap((placement) => {
    const item = byService.get(placement.serviceId);
    const action = item?.plan.actions.find(({ kind, ...rest }) => kind === "create" && "slot" in rest && rest.slot === placement.slot);
    return item === undefined || action?.kind !== "create" ? [] : [{ ...placement, item, action }];
  });
  if (made.length === 0) return;
  const data = made.map(({ item: { service }, action, because, serviceId, hostId, slot }) => {
    const target = action.hash === service.target.hash ? service.target : (service.stable ?? service.target);
    const reasons = [action.because, because];
    return { serviceId, hostId, slot, hash: target.hash, target, because: formatReasons(reasons), reasons, createdAt: now };
  });
  const ids = await tx.stackReplica.createManyAndReturn({ data, select: { id: true, serviceId: true, slot: true } });
  const idOf = new Map(ids.map(({ id, serviceId, slot }) => [`${serviceId} ${slot}`, id]));
  const volumes = made.flatMap(({ item: { stack, scene }, hostId }) => scene.volumes.map((name) => ({ stackId: stack.id, name, hostId })));
  if (volumes.length > 0) await tx.stackVolume.createMany({ data: volumes, skipDuplicates: true });
  for (const { serviceId, hostId, slot, because, reasons } of data) {
    const item = byService.get(serviceId);
    if (item === undefined) continue;
    const host = hosts.get(hostId) ?? hostId;
    const name = slotName(slot, host);
    steps.push({
      stackId: item.stack.id,
      service: item.service.name,
      replicaId: idOf.get(`${serviceId} ${slot}`) ?? null,
      host,
      level: "info",
      text: `replica ${name} is made on ${host}: ${because}`,
      said: { event: "made", slot: name, reasons },
    });
  }
  round.isChanged = true;
}

/** What people call a place: its number, or its host's name. */
export const slotName = (slot: string, host: string): string => (/^\d+$/.test(slot) ? slot : host);
