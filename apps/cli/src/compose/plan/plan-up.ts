import { dependencyOrder, type Project, type Service, withDependencies } from "@flotilla/compose";
import { containerName, type ObservedContainer, type ObservedProject } from "./labels.ts";

/** One step for one container. `reason` is what `--dry-run` and `--json` say. */
export type Step =
  | { kind: "create"; service: string; number: number; name: string; reason: string }
  /** A new container takes the place, the name and the anonymous volumes of `old`. */
  | { kind: "replace"; service: string; number: number; name: string; old: ObservedContainer; reason: string }
  | { kind: "start"; service: string; container: ObservedContainer; reason: string }
  | { kind: "restart"; service: string; container: ObservedContainer; reason: string }
  | { kind: "rename"; service: string; container: ObservedContainer; name: string; reason: string }
  | { kind: "remove"; service: string; container: ObservedContainer; reason: string }
  | { kind: "keep"; service: string; container: ObservedContainer };

export type ServicePlan = { service: string; steps: Step[] };

export type UpPlan = {
  /** Names of networks and volumes to make, by their key. */
  networks: string[];
  volumes: string[];
  /** Containers of services that are no longer there, removed first. */
  orphans: ObservedContainer[];
  /** In an order in which each service comes behind those it depends on. */
  services: ServicePlan[];
};

export type UpOptions = {
  /** Empty: all. */
  services: readonly string[];
  /** Only the named services, not what they depend on. */
  noDeps: boolean;
  forceRecreate: boolean;
  noRecreate: boolean;
  alwaysRecreateDeps: boolean;
  removeOrphans: boolean;
  /** false: containers are made and not started (`create`, `up --no-start`). */
  starts: boolean;
};

export type UpInput = {
  project: Project;
  observed: ObservedProject;
  options: UpOptions;
  /** Config hash and local image id by service. */
  hashes: ReadonlyMap<string, string>;
  imageIds: ReadonlyMap<string, string>;
  /** All services of the file, also of profiles that are not active: none of their containers is an orphan. */
  knownServices: ReadonlySet<string>;
};

/** What must be done so that the engine has what the project says. Pure: the same input gives the same plan. */
export function planUp(input: UpInput): UpPlan {
  const { project, observed, options } = input;
  const wanted =
    options.noDeps && options.services.length > 0 ? new Set(options.services) : withDependencies(project.services, options.services);
  const order = dependencyOrder(project.services).filter((name) => wanted.has(name));
  const replaced = new Set<string>();
  const services = order.map((name): ServicePlan => {
    const steps = planService(name, { ...input, replaced });
    if (steps.some(({ kind }) => kind === "replace")) replaced.add(name);
    return { service: name, steps };
  });
  return { ...planObjects(project, observed, order), orphans: options.removeOrphans ? findOrphans(input) : [], services };
}

/** Containers whose service the file does not have. */
export function findOrphans({ observed, knownServices }: Pick<UpInput, "observed" | "knownServices">): ObservedContainer[] {
  return observed.containers.filter((container) => !container.isOneOff && !knownServices.has(container.service));
}

function planObjects(project: Project, observed: ObservedProject, services: readonly string[]): Pick<UpPlan, "networks" | "volumes"> {
  const used = services.map((name) => project.services[name]).filter((service) => service !== undefined);
  const networks = new Set(used.flatMap((service) => Object.keys(service.networks)));
  const volumes = new Set(
    used.flatMap((service) => service.volumes.flatMap((mount) => (mount.type === "volume" ? (mount.source ?? []) : []))),
  );
  return {
    networks: [...networks].filter((key) => !observed.networks.has(project.networks[key]?.name ?? "")),
    volumes: [...volumes].filter((key) => !observed.volumes.has(project.volumes[key]?.name ?? "")),
  };
}

type ServiceInput = UpInput & { replaced: ReadonlySet<string> };

function planService(name: string, input: ServiceInput): Step[] {
  const { project, observed } = input;
  const service = project.services[name];
  if (service === undefined) return [];
  const own = observed.containers.filter((container) => container.service === name && !container.isOneOff);
  const { kept, leftOver } = settleReplacements(own);
  const count = service.deploy.mode === "global" || service.deploy.mode === "global-job" ? 1 : service.deploy.replicas;
  const steps: Step[] = leftOver.map((container) => ({
    kind: "remove",
    service: name,
    container,
    reason: "left over from an interrupted replacement",
  }));
  // Lower numbers stay; of two with one number (another program's doing) the first that the engine names.
  const sorted = [...kept].sort((a, b) => a.number - b.number);
  for (const container of sorted.slice(count)) steps.push({ kind: "remove", service: name, container, reason: `scaled to ${count}` });
  const remaining = sorted.slice(0, count);
  for (const container of remaining) steps.push(...planContainer(container, service, { ...input, name }));
  const taken = new Set(remaining.map(({ number }) => number));
  for (let number = 1, missing = count - remaining.length; missing > 0; number++) {
    if (taken.has(number)) continue;
    steps.push({ kind: "create", service: name, number, name: nameOf(project.name, { name, service, number }), reason: "there is none" });
    missing--;
  }
  return steps;
}

type Named = { name: string; service: Service; number: number };

const nameOf = (project: string, { name, service, number }: Named): string => service.containerName ?? containerName(project, name, number);

/**
 * An `up` that was killed may leave the new container beside the old one (the new one goes, and is made again if it is still wanted)
 * or alone under its temporary name (it takes the old one's name).
 */
function settleReplacements(own: readonly ObservedContainer[]): { kept: ObservedContainer[]; leftOver: ObservedContainer[] } {
  const ids = new Set(own.map(({ id }) => id));
  const leftOver = own.filter(({ replaces }) => replaces !== undefined && ids.has(replaces));
  return { kept: own.filter((container) => !leftOver.includes(container)), leftOver };
}

function planContainer(container: ObservedContainer, service: Service, input: ServiceInput & { name: string }): Step[] {
  const { name, project, options } = input;
  const reason = reasonToReplace(container, service, input);
  const isUnfinished = container.replaces !== undefined && container.name.startsWith(`${container.replaces.slice(0, 12)}_`);
  const wantedName = isUnfinished ? nameOf(project.name, { name, service, number: container.number }) : container.name;
  if (reason !== undefined) return [{ kind: "replace", service: name, number: container.number, name: wantedName, old: container, reason }];
  const steps: Step[] = isUnfinished
    ? [{ kind: "rename", service: name, container, name: wantedName, reason: "an interrupted replacement is finished" }]
    : [];
  if (container.state === "running" || container.state === "restarting" || container.state === "paused" || !options.starts) {
    const restarts = options.starts && restartsWith(service, input.replaced) && container.state === "running";
    return [
      ...steps,
      restarts
        ? { kind: "restart", service: name, container, reason: "what it depends on is replaced" }
        : { kind: "keep", service: name, container },
    ];
  }
  return [...steps, { kind: "start", service: name, container, reason: `it is ${container.state}` }];
}

function reasonToReplace(container: ObservedContainer, service: Service, input: ServiceInput & { name: string }): string | undefined {
  const { name, options, hashes, imageIds, replaced } = input;
  if (options.noRecreate) return undefined;
  const isNamed = options.services.length === 0 || options.services.includes(name);
  if (options.forceRecreate && (isNamed || options.alwaysRecreateDeps)) return "--force-recreate";
  if (!isNamed && options.alwaysRecreateDeps) return "--always-recreate-deps";
  const shared = sharedServices(service).find((other) => replaced.has(other));
  if (shared !== undefined) return `it shares namespaces or volumes of ${shared}, which is replaced`;
  if (container.configHash !== hashes.get(name)) return "its configuration has changed";
  const imageId = imageIds.get(name);
  if (imageId !== undefined && container.imageId !== imageId) return "its image has changed";
  return undefined;
}

/** Services whose container this one's is tied to: it cannot outlive them. */
function sharedServices(service: Service): string[] {
  const modes = [service.networkMode, service.ipc, service.pid].flatMap((mode) =>
    mode?.startsWith("service:") === true ? [mode.slice("service:".length)] : [],
  );
  const volumes = service.volumesFrom.filter((from) => !from.startsWith("container:")).map((from) => from.split(":")[0] ?? "");
  return [...modes, ...volumes];
}

const restartsWith = (service: Service, replaced: ReadonlySet<string>): boolean =>
  Object.entries(service.dependsOn).some(([other, { restart }]) => restart && replaced.has(other));
