import type { Network, Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { Transaction } from "@flotilla/db";
import type { ServiceDemand } from "@flotilla/planner";
import type { ServiceContext } from "../context.ts";
import { currentVersions } from "./files.ts";
import type { PlanBasis, PlanInput, PresentService } from "./plan-stack.ts";
import { publishedPorts } from "./ports.ts";
import { serviceDemand } from "./service-policy.ts";
import { filesOf, hashService, Projects } from "./stack-model.ts";
import { readStackRows, stackHosts, type StackRow, toScheduleHost } from "./stack-rows.ts";

type Scope = { services: ServiceContext; teamId: string; project: Project };

/** Everything that a plan is made of. */
export async function readPlanInput(tx: Transaction, { services, teamId, project }: Scope): Promise<PlanInput> {
  const rows = await readStackRows(tx, teamId);
  const projects = new Projects(services, tx);
  const own = rows.stacks.find(({ name }) => name === project.name);
  const basis = await readBasis(tx, teamId, project);
  const present = own === undefined ? [] : await presentServices(own, projects);
  const ids = new Map(present.map(({ name, id }) => [name, id]));
  const names = Object.keys(project.services);
  const others: { demands: ServiceDemand[]; placed: PlanInput["others"]["placed"] & { length: number } } = { demands: [], placed: [] };
  const placed: { serviceId: string; hostId: string; isLeaving: boolean }[] = [];
  for (const stack of rows.stacks) {
    if (stack.id === own?.id) continue;
    for (const service of stack.services) {
      const other = await projects.find(stack.id, service.target.revision);
      if (other instanceof FlotillaError || other.services[service.name] === undefined) continue;
      others.demands.push(serviceDemand(other, service.name, service.id));
      placed.push(...service.replicas.map(({ hostId, state }) => ({ serviceId: service.id, hostId, isLeaving: state !== "run" })));
    }
  }
  const volumes = new Map<string, string[]>();
  for (const stack of rows.stacks) for (const { name, hostId } of stack.volumes) volumes.set(name, [...(volumes.get(name) ?? []), hostId]);
  return {
    project,
    hashes: new Map(names.map((name) => [name, hashService(project, name, basis.files)])),
    demands: new Map(names.map((name) => [name, serviceDemand(project, name, ids.get(name) ?? `new ${name}`)])),
    present,
    hosts: rows.hosts.map(toScheduleHost),
    others: { demands: others.demands, placed },
    volumes,
    networks: (await missingNetworks(tx, teamId, project)).filter(({ network }) => !network.isExternal).map(({ network }) => network.name),
    basis,
  };
}

async function presentServices(stack: StackRow, projects: Projects): Promise<PresentService[]> {
  const present: PresentService[] = [];
  for (const { id, name, target, replicas, isRemoved } of stack.services) {
    if (isRemoved) continue;
    const running = replicas.filter(({ state }) => state === "run");
    const project = await projects.find(stack.id, target.revision);
    present.push({ id, name, hash: target.hash, replicas: running, project: project instanceof FlotillaError ? undefined : project });
  }
  return present;
}

/** What a plan for a project depends on. */
export async function readBasis(tx: Transaction, teamId: string, project: Project): Promise<PlanBasis> {
  const stack = await tx.stack.findUnique({ where: { teamId_name: { teamId, name: project.name } }, select: { generation: true } });
  const hosts = await tx.host.findMany({
    where: stackHosts(teamId),
    select: { name: true, availability: true, downSince: true },
    orderBy: { name: "asc" },
  });
  const keys = new Set(Object.values(project.services).flatMap((service) => filesOf(project, service)));
  return {
    generation: stack?.generation ?? 0,
    hosts: Object.fromEntries(hosts.map(({ name, availability, downSince }) => [name, downSince === null ? availability : "down"])),
    files: await currentVersions(tx, teamId, [...keys].toSorted()),
  };
}

/** Networks that the project's services need and the team does not have. */
export async function missingNetworks(tx: Transaction, teamId: string, project: Project): Promise<{ key: string; network: Network }[]> {
  const used = new Set(Object.values(project.services).flatMap(({ networks }) => Object.keys(networks)));
  const wanted = Object.entries(project.networks).filter(([key]) => used.has(key));
  const there = await tx.overlayNetwork.findMany({
    where: { teamId, name: { in: wanted.map(([, { name }]) => name) } },
    select: { name: true },
  });
  const names = new Set(there.map(({ name }) => name));
  return wanted.filter(([, { name }]) => !names.has(name)).map(([key, network]) => ({ key, network }));
}

/** @throws conflict for a port on every host that another service of the team has, or that the project gives twice. */
export async function checkPorts(tx: Transaction, { services, teamId, project }: Scope): Promise<void> {
  const taken = new Map<string, string>();
  const rows = await tx.stack.findMany({ where: { teamId, name: { not: project.name } }, include: { services: true } });
  const projects = new Projects(services, tx);
  for (const stack of rows) {
    if (stack.current === 0) continue;
    const other = await projects.find(stack.id, stack.current);
    if (other instanceof FlotillaError) continue;
    for (const [name, service] of Object.entries(other.services))
      for (const port of publishedPorts(service)) taken.set(port, `${stack.name}/${name}`);
  }
  for (const [name, service] of Object.entries(project.services)) {
    for (const port of publishedPorts(service)) {
      const owner = taken.get(port);
      if (owner !== undefined) throw new FlotillaError("conflict", `services.${name}.ports: port ${port} is published by ${owner} already`);
      taken.set(port, `${project.name}/${name}`);
    }
  }
}
