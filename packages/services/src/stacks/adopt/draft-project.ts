// From the containers of a compose project to the compose file of a stack that has them. Pure.
import { escapeDollars, formatProject, Project, type Service, writeYaml } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { type Reason, reason } from "@flotilla/planner";
import { differences } from "../plan-stack.ts";
import { COMPOSE_LABELS } from "./compose-labels.ts";
import { type Found, type Names, readService } from "./read-service.ts";

/** A container and what becomes of it. */
export type AdoptedContainer = { id: string; name: string; slot: string; isTaken: boolean; why: Reason };
export type LeftContainer = { container: string; service: string; why: Reason };
export type AdoptionDraft = {
  /** The compose file. Values of environments are variables in it. */
  source: string;
  variables: Record<string, string>;
  services: { name: string; found: Found; containers: AdoptedContainer[] }[];
  left: LeftContainer[];
  /** Names of what it uses and keeps. */
  networks: string[];
  volumes: string[];
};

const nameOf = ({ inspect }: Found): string => inspect.Name.replace(/^\//, "");
const labelOf = ({ inspect }: Found, label: string): string => inspect.Config.Labels?.[label] ?? "";

type OneHost = { id: string; name: string };

/** @throws invalid when none of its containers can become a replica. */
export function draftProject(project: string, { host, containers }: { host: OneHost; containers: readonly Found[] }): AdoptionDraft {
  const left: LeftContainer[] = [];
  const names = new ProjectNames(project);
  const services = new Map<string, Service>();
  const drafts: AdoptionDraft["services"] = [];
  for (const [name, ofService] of [...Map.groupBy(containers, (found) => labelOf(found, COMPOSE_LABELS.service))].toSorted(byKey)) {
    const { members, isJob } = chooseMembers(ofService);
    for (const found of ofService) {
      if (members.includes(found)) continue;
      const container = nameOf(found);
      left.push({ container, service: name, why: reason(isOneOff(found) ? "one_off" : "not_running", { container }) });
    }
    const model = members.toSorted((a, b) => (a.inspect.Created < b.inspect.Created ? 1 : -1))[0];
    if (model === undefined) continue;
    const ofOne = names.of(members.length);
    const service = readService(model, ofOne);
    services.set(name, { ...service, deploy: placed(service, { hostId: host.id, replicas: members.length, isJob }) });
    const judged = members.map((found, index) => judge(found, { service, names: ofOne, slot: String(index + 1) }));
    drafts.push({ name, found: model, containers: judged });
  }
  if (services.size === 0) throw new FlotillaError("invalid", `no container of project ${project} runs on host ${host.name}`);
  for (const service of services.values())
    service.dependsOn = Object.fromEntries(Object.entries(service.dependsOn).filter(([name]) => services.has(name)));
  const { document, variables } = withVariables(names.complete(Object.fromEntries(services)));
  const source = `# On host ${host.name}, by its id: it may get another name.\n${writeYaml(document)}`;
  return { source, variables, services: drafts, left, networks: names.networks(), volumes: names.volumes() };
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
const isOneOff = (found: Found): boolean => labelOf(found, COMPOSE_LABELS.oneoff) === "True";

/** Those that run; where none does, the newest one that has ended well and was to end: the job of its service is done. */
function chooseMembers(containers: readonly Found[]): { members: Found[]; isJob: boolean } {
  const number = (found: Found): number => Number(labelOf(found, COMPOSE_LABELS.number)) || 0;
  const own = containers.filter((found) => !isOneOff(found)).toSorted((a, b) => number(a) - number(b));
  const running = own.filter(({ inspect }) => inspect.State.Running);
  if (running.length > 0) return { members: running, isJob: false };
  const [newest] = own.toSorted((a, b) => (a.inspect.Created < b.inspect.Created ? 1 : -1));
  if (newest === undefined) return { members: [], isJob: false };
  const { State: state, HostConfig: hostConfig } = newest.inspect;
  const isDone = state.Status === "exited" && state.ExitCode === 0 && !["always", "unless-stopped"].includes(hostConfig.RestartPolicy.Name);
  return isDone ? { members: [newest], isJob: true } : { members: [], isJob: false };
}

/** It stays on its host: its networks, and what it binds, are there. */
function placed({ deploy }: Service, how: { hostId: string; replicas: number; isJob: boolean }): Service["deploy"] {
  return {
    ...deploy,
    mode: how.isJob ? "replicated-job" : "replicated",
    replicas: how.replicas,
    placement: { ...deploy.placement, constraints: [`node.id==${how.hostId}`] },
  };
}

function judge(found: Found, { service, names, slot }: { service: Service; names: Names; slot: string }): AdoptedContainer {
  const container = nameOf(found);
  const differs =
    JSON.stringify(readService(found, names)) === JSON.stringify(service) ? [] : differences(service, readService(found, names));
  const isTaken = differs.length === 0;
  const why = isTaken ? reason("taken_over", { container }) : { ...reason("not_as_newest", { container }), parts: differs };
  return { id: found.inspect.Id, name: container, slot, isTaken, why };
}

/** What an engine calls a volume that nobody gave a name. */
const UNNAMED = /^[0-9a-f]{64}$/;

/** Keys of what the project uses, by names that are there already. */
class ProjectNames {
  readonly #project: string;
  readonly #networks = new Map<string, string>();
  readonly #volumes = new Map<string, string>();

  constructor(project: string) {
    this.#project = project;
  }

  /** Of a service with so many containers: what several have each of their own, without a name, no two can share. */
  of(containers: number): Names {
    return {
      networkKey: (name) => this.#keyOf(this.#networks, name),
      volumeKey: (name) => (containers > 1 && UNNAMED.test(name) ? undefined : this.#keyOf(this.#volumes, name)),
    };
  }

  networks = (): string[] => [...this.#networks.keys()].toSorted();
  volumes = (): string[] => [...this.#volumes.keys()].toSorted();

  #keyOf(known: Map<string, string>, name: string): string {
    const before = known.get(name);
    if (before !== undefined) return before;
    const bare = name.startsWith(`${this.#project}_`) ? name.slice(this.#project.length + 1) : name;
    const short = UNNAMED.test(bare) ? `unnamed-${bare.slice(0, 8)}` : bare.replaceAll(/[^A-Za-z0-9._-]/g, "-");
    const taken = new Set(known.values());
    const free = taken.has(short) ? `${short}-${taken.size + 1}` : short;
    known.set(name, free);
    return free;
  }

  complete(services: Project["services"]): Project {
    const external = (known: Map<string, string>): object =>
      Object.fromEntries([...known].map(([name, key]) => [key, { name, isExternal: true }]));
    return Project.parse({ name: this.#project, services, networks: external(this.#networks), volumes: external(this.#volumes) });
  }
}

/**
 * The project as a document in which every value of an environment is a variable: what containers know, and may be a password, stays out of
 * the file that people read.
 */
function withVariables(project: Project): { document: unknown; variables: Record<string, string> } {
  const variables: Record<string, string> = {};
  const document = escapeDollars(formatProject(project)) as { services: Record<string, { environment?: Record<string, string | null> }> };
  for (const [name, { environment }] of Object.entries(project.services)) {
    const own = document.services[name]?.environment;
    if (own === undefined) continue;
    for (const [key, value] of Object.entries(environment)) {
      if (value === null) continue;
      const variable = freeName(`${name}_${key}`, variables);
      variables[variable] = value;
      own[key] = `\${${variable}}`;
    }
  }
  return { document, variables };
}

function freeName(text: string, taken: Readonly<Record<string, string>>): string {
  const name = text.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_").replace(/^(?=[0-9])/, "_"); // prettier-ignore
  if (!Object.hasOwn(taken, name)) return name;
  let count = 2;
  while (Object.hasOwn(taken, `${name}_${count}`)) count += 1;
  return `${name}_${count}`;
}
