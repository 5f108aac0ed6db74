// What applying a project would do, before it is done. Pure.
import type { Project } from "@flotilla/compose";
import {
  formatReason,
  type PlacedReplica,
  type Reason,
  reason,
  schedule,
  type ScheduleHost,
  type ServiceDemand,
  type WantedReplica,
} from "@flotilla/planner";
import { formatReasons } from "./reasons.ts";
import { globalSlots } from "./global-slots.ts";
import { isGlobal } from "./service-policy.ts";
import type { StackIssue } from "./stack-issue.ts";

export type PlannedReplica = {
  slot: string;
  host: string | null;
  fromHost: string | null;
  act: "make" | "replace" | "remove" | "keep";
  because: string;
  /** The same as data. */
  reasons: Reason[];
};
export type PlannedService = {
  name: string;
  change: "create" | "update" | "scale" | "remove" | "none";
  /** What is different, in words. */
  reasons: string[];
  /** The same as data. */
  differs: Reason[];
  replicas: PlannedReplica[];
};

/** What a plan was made on. Another one when it is applied means that the plan is stale. */
export type PlanBasis = {
  generation: number;
  /** Availability of each host, `down` for one that is; by name. */
  hosts: Record<string, string>;
  /** Versions of the secrets and configs that are used. */
  files: Record<string, string>;
};

export type PlannedStack = { services: PlannedService[]; networks: string[]; basis: PlanBasis };

/** `issues`: what its files say and no stack does, each with its place; `notes`: the same as sentences. */
export type StackPlan = PlannedStack & { notes: string[]; issues: StackIssue[] };

export type PresentService = {
  id: string;
  name: string;
  hash: string;
  replicas: readonly { slot: string; hostId: string; hash: string }[];
  /** Undefined: it cannot be read any more. */
  project: Project | undefined;
};

export type PlanInput = {
  project: Project;
  hashes: ReadonlyMap<string, string>;
  demands: ReadonlyMap<string, ServiceDemand>;
  present: readonly PresentService[];
  hosts: readonly ScheduleHost[];
  /** Replicas of other stacks, with what they ask. */
  others: { demands: readonly ServiceDemand[]; placed: readonly PlacedReplica[] };
  volumes: ReadonlyMap<string, readonly string[]>;
  /** Networks that would be made. */
  networks: readonly string[];
  basis: PlanBasis;
};

/** @returns a plan whose services are in the order of their names. */
export function planStack(input: PlanInput): PlannedStack {
  const { project, present, networks, basis } = input;
  const names = [...new Set([...Object.keys(project.services), ...present.map(({ name }) => name)])].toSorted();
  const drafts = names.map((name) => draft(input, name));
  const result = schedule({
    hosts: input.hosts,
    services: [...input.others.demands, ...input.demands.values()],
    placed: [...input.others.placed, ...drafts.flatMap(({ placed }) => placed)],
    volumes: input.volumes,
    wanted: drafts.flatMap(({ wanted }) => wanted),
  });
  const hostName = new Map(input.hosts.map(({ id, name }) => [id, name]));
  const placements = new Map(result.placements.map((item) => [`${item.serviceId} ${item.slot}`, item]));
  const refusals = new Map(result.unplaced.map((item) => [`${item.serviceId} ${item.slot}`, item.reason]));
  const services = drafts.map(({ service, serviceId }) => ({
    ...service,
    replicas: service.replicas.map((replica) => {
      if (replica.act !== "make" && replica.act !== "replace") return replica;
      const placement = placements.get(`${serviceId} ${replica.slot}`);
      if (placement === undefined) {
        const why = refusals.get(`${serviceId} ${replica.slot}`) ?? reason("no_host");
        return { ...replica, because: `has no host: ${formatReason(why)}`, reasons: [why] };
      }
      const reasons = [...replica.reasons, placement.because];
      return { ...replica, host: hostName.get(placement.hostId) ?? placement.hostId, because: formatReasons(reasons), reasons };
    }),
  }));
  return { services, networks: [...networks], basis };
}

type Draft = { serviceId: string; service: PlannedService; wanted: WantedReplica[]; placed: PlacedReplica[] };

function draft(input: PlanInput, name: string): Draft {
  const before = input.present.find((service) => service.name === name);
  const demand = input.demands.get(name);
  const model = input.project.services[name];
  const hostName = new Map(input.hosts.map((host) => [host.id, host.name]));
  const serviceId = demand?.id ?? before?.id ?? name;
  const hash = input.hashes.get(name);
  const slots = model === undefined || demand === undefined ? [] : slotsOf(input, { name, demand, before });
  const replicas: PlannedReplica[] = [];
  const draftOf: Draft = { serviceId, service: { name, change: "none", reasons: [], differs: [], replicas }, wanted: [], placed: [] };
  for (const slot of slots) {
    const there = before?.replicas.find((replica) => replica.slot === slot);
    const isCurrent = there?.hash === hash;
    const fromHost = there === undefined ? null : (hostName.get(there.hostId) ?? there.hostId);
    if (there !== undefined) draftOf.placed.push({ serviceId, hostId: there.hostId, isLeaving: !isCurrent });
    if (isCurrent) replicas.push({ slot, host: fromHost, fromHost, act: "keep", because: "nothing of it changed", reasons: [] });
    else {
      const act = there === undefined ? "make" : "replace";
      const reasons = [reason(act === "make" ? "none_there" : "older_version")];
      replicas.push({ slot, host: null, fromHost, act, because: formatReasons(reasons), reasons });
      draftOf.wanted.push({ serviceId, slot, ...(model !== undefined && isGlobal(model) ? { hostId: slot } : {}) });
    }
  }
  for (const { slot, hostId } of before?.replicas ?? []) {
    if (slots.includes(slot)) continue;
    const reasons = [reason("not_wanted")];
    replicas.push({ slot, host: null, fromHost: hostName.get(hostId) ?? hostId, act: "remove", because: formatReasons(reasons), reasons });
  }
  return { ...draftOf, service: { ...draftOf.service, ...compare(input, { name, before, slots }) } };
}

type Slotted = { name: string; demand: ServiceDemand; before: PresentService | undefined };

function slotsOf(input: PlanInput, { name, demand, before }: Slotted): string[] {
  const model = input.project.services[name];
  if (model === undefined) return [];
  if (!isGlobal(model)) return Array.from({ length: model.deploy.replicas }, (_, index) => String(index + 1));
  return globalSlots(input.hosts, demand, new Set(before?.replicas.map(({ hostId }) => hostId)));
}

type Compared = { name: string; before: PresentService | undefined; slots: readonly string[] };

function compare(input: PlanInput, { name, before, slots }: Compared): Pick<PlannedService, "change" | "reasons" | "differs"> {
  const { change, differs } = whatChanges(input, { name, before, slots });
  return { change, differs, reasons: differs.map(formatReason) };
}

function whatChanges(input: PlanInput, { name, before, slots }: Compared): Pick<PlannedService, "change" | "differs"> {
  const after = input.project.services[name];
  if (before === undefined) return { change: "create", differs: [] };
  if (after === undefined) return { change: "remove", differs: [reason("differs_gone")] };
  const old = before.project?.services[name];
  if (before.hash === input.hashes.get(name)) {
    const count = before.replicas.length;
    return count === slots.length
      ? { change: "none", differs: [] }
      : { change: "scale", differs: [reason("differs_number", { before: count, after: slots.length })] };
  }
  return { change: "update", differs: old === undefined ? [reason("differs_unknown")] : differences(old, after) };
}

/** What differs, by name; values may be secrets. The image's is told. */
export function differences(before: object, after: object): Reason[] {
  const [left, right] = [new Map<string, unknown>(Object.entries(before)), new Map<string, unknown>(Object.entries(after))];
  const keys = [...new Set([...left.keys(), ...right.keys()])].filter(
    (key) => JSON.stringify(left.get(key)) !== JSON.stringify(right.get(key)),
  );
  const found = keys.map((key) =>
    key === "image"
      ? reason("differs_image", { before: String(left.get(key)), after: String(right.get(key)) })
      : reason("differs", { key }),
  );
  return found.length === 0 ? [reason("differs_file")] : found;
}

/** What is not as it was when a plan was made, in words; none: the plan holds. Pure. */
export function compareBasis(planned: PlanBasis, now: PlanBasis): string[] {
  const changes: string[] = [];
  if (planned.generation !== now.generation) changes.push(`the stack was changed (generation ${planned.generation} → ${now.generation})`);
  const hosts = new Set([...Object.keys(planned.hosts), ...Object.keys(now.hosts)]);
  for (const host of [...hosts].toSorted()) {
    const [before, after] = [planned.hosts[host] ?? "not there", now.hosts[host] ?? "not there"];
    if (before !== after) changes.push(`host ${host}: ${before} → ${after}`);
  }
  const files = new Set([...Object.keys(planned.files), ...Object.keys(now.files)]);
  for (const file of files) if (planned.files[file] !== now.files[file]) changes.push(`${file.replace("/", " ")} has another version`);
  return changes;
}
