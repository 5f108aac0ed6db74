// Which host gets which replica. Pure: equal input gives equal output. Time is near linear in the replicas: hosts that satisfy the
// same constraints share one queue, so that a replica costs the logarithm of the hosts, and a service nothing more than its
// replicas unless it has preferences, packs, or does not fit.
import { satisfies } from "./constraints.ts";
import { counted, explainRefusals, refusalOf } from "./explain.ts";
import { HostQueue } from "./host-queue.ts";
import { HostUse, isOpen } from "./host-use.ts";
import { type Reason, reason } from "./reason.ts";
import type { Placement, ScheduleInput, ScheduleResult, ServiceDemand, WantedReplica } from "./schedule-types.ts";
import { SpreadGroups } from "./spread-groups.ts";

/** Of so many equally good hosts one that has the image is taken. */
const IMAGE_LOOKAHEAD = 8;

type Scene = {
  input: ScheduleInput;
  uses: readonly HostUse[];
  byId: ReadonlyMap<string, HostUse>;
  names: ReadonlyMap<string, string>;
  /** Hosts by the constraints that they satisfy. */
  eligible: Map<string, { uses: HostUse[]; queue: HostQueue }>;
  /** Where the volumes of a placed replica of this very plan live from now on. */
  volumes: Map<string, readonly string[]>;
  /** Images that any host has: for others nobody looks who has it. */
  images: ReadonlySet<string>;
  result: ScheduleResult;
};

/** Places what is wanted. Never moves what is placed; see `planMoves` for that. */
export function schedule(input: ScheduleInput): ScheduleResult {
  const scene = setScene(input);
  const services = new Map(input.services.map((service) => [service.id, service]));
  for (const [serviceId, wanted] of groupByService(input.wanted)) {
    const service = services.get(serviceId);
    if (service === undefined) continue;
    const free = wanted.filter((item) => !placePinned(scene, service, item));
    if (free.length > 0) placeFree(scene, service, free);
  }
  return scene.result;
}

function setScene(input: ScheduleInput): Scene {
  const ordered = input.hosts.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  const uses = ordered.map((host, order) => new HostUse(host, order));
  const byId = new Map(uses.map((use) => [use.host.id, use]));
  const services = new Map(input.services.map((service) => [service.id, service]));
  for (const { serviceId, hostId, isLeaving } of input.placed) {
    const service = services.get(serviceId);
    if (service !== undefined) byId.get(hostId)?.add(service, isLeaving);
  }
  const images = new Set(input.hosts.flatMap((host) => host.images));
  const names = new Map(input.hosts.map(({ id, name }) => [id, name]));
  const result: ScheduleResult = { placements: [], unplaced: [] };
  return { input, uses, byId, names, eligible: new Map(), volumes: new Map(input.volumes), images, result };
}

function groupByService(wanted: readonly WantedReplica[]): Map<string, WantedReplica[]> {
  const groups = new Map<string, WantedReplica[]>();
  for (const item of wanted) {
    const group = groups.get(item.serviceId);
    if (group === undefined) groups.set(item.serviceId, [item]);
    else group.push(item);
  }
  return groups;
}

function placePinned(scene: Scene, service: ServiceDemand, { slot, hostId }: WantedReplica): boolean {
  if (hostId === undefined) return false;
  const use = scene.byId.get(hostId);
  const refusal = use === undefined ? reason("is_missing") : refusalOf(use, service, { names: scene.names });
  if (use === undefined || refusal !== undefined) {
    const why = { ...reason("this_host", { host: use?.host.name ?? hostId }), parts: refusal === undefined ? [] : [counted(refusal, 1)] };
    scene.result.unplaced.push({ serviceId: service.id, slot, reason: why });
    return true;
  }
  take(scene, service, { slot, use, because: reason("one_per_host") });
  return true;
}

type Taken = { slot: string; use: HostUse; because: Reason };

function take(scene: Scene, service: ServiceDemand, { slot, use, because }: Taken): void {
  use.add(service);
  for (const volume of service.volumes) if (!scene.volumes.has(volume)) scene.volumes.set(volume, [use.host.id]);
  scene.result.placements.push({ serviceId: service.id, slot, hostId: use.host.id, because } satisfies Placement);
}

function placeFree(scene: Scene, service: ServiceDemand, wanted: readonly WantedReplica[]): void {
  if (service.strategy === "binpack") return placePacked(scene, service, wanted);
  const lookahead = scene.images.has(service.image) ? IMAGE_LOOKAHEAD : 0;
  const picker = new SpreadGroups(queuesFor(scene, service), service);
  for (const { slot } of wanted) {
    const volumeHosts = volumeHostsOf(scene, service);
    const picked = picker.pick((use) => (volumeHosts?.has(use.host.id) ?? true) && use.refusal(service) === undefined, lookahead);
    if (picked === undefined) refuse(scene, service, slot);
    else {
      const before = picked.countOf(service);
      take(scene, service, { slot, use: picked, because: becauseOf(service, picked, { before, volumeHosts }) });
      picker.placed(picked);
    }
  }
  picker.close();
}

function becauseOf(service: ServiceDemand, use: HostUse, facts: { before: number; volumeHosts: ReadonlySet<string> | undefined }): Reason {
  if (facts.volumeHosts !== undefined) return reason("volume_there", { volumes: service.volumes.join(", ") });
  const why = facts.before === 0 ? reason("first_there") : reason("fewest_there", { count: facts.before });
  return use.hasImage(service.image) ? { ...why, parts: [reason("image_there")] } : why;
}

/** First fit over the hosts that have most already: few hosts get much. */
function placePacked(scene: Scene, service: ServiceDemand, wanted: readonly WantedReplica[]): void {
  const ordered = eligibleFor(scene, service).uses.toSorted((a, b) => b.load - a.load || a.order - b.order);
  let at = 0;
  for (const { slot } of wanted) {
    const volumeHosts = volumeHostsOf(scene, service);
    const fits = (use: HostUse): boolean => (volumeHosts?.has(use.host.id) ?? true) && use.refusal(service) === undefined;
    while (at < ordered.length && !fits(ordered[at] as HostUse)) at += 1;
    const use = ordered[at];
    if (use === undefined) refuse(scene, service, slot);
    else take(scene, service, { slot, use, because: reason("packed") });
  }
}

function refuse(scene: Scene, service: ServiceDemand, slot: string): void {
  const volumeHosts = volumeHostsOf(scene, service);
  const { unplaced } = scene.result;
  // All replicas of one service that do not fit in one plan do not fit for one reason: nothing becomes free meanwhile.
  const last = unplaced.at(-1);
  const why =
    last?.serviceId === service.id
      ? last.reason
      : explainRefusals(scene.uses.map((use) => refusalOf(use, service, { volumeHosts, names: scene.names }) ?? reason("does_not_fit")));
  unplaced.push({ serviceId: service.id, slot, reason: why });
}

/** The hosts that have the data of every volume of a service that lives somewhere; undefined when none does. */
function volumeHostsOf(scene: Scene, service: ServiceDemand): ReadonlySet<string> | undefined {
  let hosts: ReadonlySet<string> | undefined;
  for (const volume of service.volumes) {
    const here = scene.volumes.get(volume);
    if (here === undefined || here.length === 0) continue;
    const before: ReadonlySet<string> | undefined = hosts;
    hosts = new Set(before === undefined ? here : here.filter((id) => before.has(id)));
  }
  return hosts;
}

function eligibleFor(scene: Scene, service: ServiceDemand): { uses: HostUse[]; queue: HostQueue } {
  const signature = JSON.stringify(service.constraints);
  const known = scene.eligible.get(signature);
  if (known !== undefined) return known;
  const uses = scene.uses.filter((use) => isOpen(use) && service.constraints.every((constraint) => satisfies(use.host, constraint)));
  const made = { uses, queue: new HostQueue(uses) };
  scene.eligible.set(signature, made);
  return made;
}

/** One queue, or one for each combination of values of the labels that the service spreads over. */
function queuesFor(scene: Scene, service: ServiceDemand): Map<string, HostQueue> {
  const { uses, queue } = eligibleFor(scene, service);
  const volumeHosts = volumeHostsOf(scene, service);
  if (volumeHosts !== undefined) return new Map([["", new HostQueue(uses.filter(({ host }) => volumeHosts.has(host.id)))]]);
  if (service.preferences.length === 0) return new Map([["", queue]]);
  const queues = new Map<string, HostQueue>();
  for (const use of uses) {
    const key = SpreadGroups.keyOf(use, service);
    const group = queues.get(key);
    if (group === undefined) queues.set(key, new HostQueue([use]));
    else group.push(use);
  }
  return queues;
}
