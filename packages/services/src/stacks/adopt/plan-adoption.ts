// What a stack that is made of a host's compose project would be, and what becomes of each container.
import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { ContainerCreateBody, ContainerInspect, ContainerSummary, HostConfig } from "@flotilla/engine-api";
import { formatReason, type Reason, reason } from "@flotilla/planner";
import { REPLICA_LABEL } from "@flotilla/protocol";
import { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { notFound } from "../../access/authorize.ts";
import type { ObjectRef } from "../../access/can.ts";
import type { ServiceContext } from "../../context.ts";
import { type HostBrief, openHost } from "../../engine/ask-hosts.ts";
import { engineJson } from "../../engine/engine-call.ts";
import { findHost, hostObject, type VisibleHost } from "../../hosts/find-host.ts";
import { hostRef } from "../../hosts/schemas.ts";
import { checkProject, issuesOfStack } from "../deploy-stack.ts";
import type { PlannedReplica, PlannedService } from "../plan-stack.ts";
import { noteOf, type StackIssue } from "../stack-issue.ts";
import { type LoadedStack, loadStack, stackInput, stackName } from "../stack-source.ts";
import { toContainerBody } from "../to-container-body.ts";
import { COMPOSE_LABELS } from "./compose-labels.ts";
import { type AdoptionDraft, draftProject } from "./draft-project.ts";
import { unlikeHostConfigs } from "./read-host-config.ts";
import { adoptedImage, type Found } from "./read-service.ts";

const MAX_CONTAINERS = 500;
const FILE = "compose.yaml";

/** A compose project on one host. */
export const projectRef = z.object({ host: hostRef, project: stackName });
export type ProjectRef = z.output<typeof projectRef>;

export type AdoptionPlan = {
  project: string;
  host: HostBrief;
  /** `keep`: a container is taken over as it runs. */
  services: PlannedService[];
  /** Containers that stay as they are, outside of the stack. */
  left: { container: string; service: string; because: string; reasons: Reason[] }[];
  /** Names of the networks and volumes that it keeps. */
  networks: string[];
  volumes: string[];
  /** Names of the variables that the values of environments become. */
  variables: string[];
  /** The compose file of the first revision. */
  source: string;
  /** What the file says and no stack does; `notes`: the same as sentences. */
  notes: string[];
  issues: StackIssue[];
  /** Stands for what the plan was made on. */
  basis: string;
};

export type Adoption = { plan: AdoptionPlan; draft: AdoptionDraft; loaded: LoadedStack; host: VisibleHost };

/** Rights are asked of the host, in the caller's team. */
export async function projectObject(services: ServiceContext, actor: Actor, { host }: ProjectRef): Promise<ObjectRef> {
  return hostObject(await findHost(services, actor, host));
}

/** What adopting would do. Changes nothing. @throws not_found for a project that is not there, invalid for what no stack can be. */
export async function planAdoption(services: ServiceContext, actor: Actor, ref: ProjectRef): Promise<AdoptionPlan> {
  return (await readAdoption(services, actor, ref)).plan;
}

/** The plan with everything that it needs to be carried out. Values of environments are in it. */
export async function readAdoption(services: ServiceContext, actor: Actor, ref: ProjectRef): Promise<Adoption> {
  const { host, brief, user } = await openHost(services, actor, ref.host);
  if (host.teamId !== user.team.id)
    throw new FlotillaError("invalid", `host ${host.name} is of another team: a stack of yours cannot adopt there`);
  const known = await services.prisma.stack.findUnique({ where: { teamId_name: { teamId: user.team.id, name: ref.project } } });
  if (known !== null) throw new FlotillaError("conflict", `there is a stack ${ref.project} already`);
  const containers = await inspectProject(services, actor, ref);
  const draft = draftProject(ref.project, { host, containers });
  const variables = draft.variables;
  const loaded = await loadStack(
    services,
    user.team.id,
    stackInput.parse({ name: ref.project, files: { [FILE]: draft.source }, variables }),
  );
  checkProject(loaded);
  refuseWhatIsLost(draft, loaded);
  const issues = issuesOfStack(loaded);
  const plan: AdoptionPlan = {
    project: ref.project,
    host: brief,
    services: draft.services.map((service) => toPlanned(service, host.name)),
    left: draft.left.map(({ container, service, why }) => ({ container, service, because: formatReason(why), reasons: [why] })),
    networks: draft.networks,
    volumes: draft.volumes,
    variables: Object.keys(variables),
    source: draft.source,
    notes: issues.map(noteOf),
    issues,
    basis: basisOf(containers),
  };
  return { plan, draft, loaded, host };
}

async function inspectProject(services: ServiceContext, actor: Actor, ref: ProjectRef): Promise<Found[]> {
  const { link, namespace } = await openHost(services, actor, ref.host);
  const filters = encodeURIComponent(JSON.stringify({ label: [`${COMPOSE_LABELS.project}=${ref.project}`] }));
  const get = <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> =>
    engineJson(link, { namespace, method: "GET", path }, schema);
  const rows = await get(`/containers/json?all=1&filters=${filters}`, z.array(ContainerSummary));
  const own = rows.filter(({ Labels }) => !(REPLICA_LABEL in Labels));
  if (own.length === 0) throw notFound("project", ref.project);
  if (own.length > MAX_CONTAINERS) throw new FlotillaError("invalid", `${own.length} containers are more than ${MAX_CONTAINERS}`);
  const images = new Map<string, Promise<Found["image"]>>();
  return Promise.all(
    own.map(async ({ Id: id }) => {
      const inspect = await get(`/containers/${id}/json`, ContainerInspect);
      const image = images.get(inspect.Image) ?? readImage(() => get(`/images/${inspect.Image}/json`, adoptedImage));
      images.set(inspect.Image, image);
      return { inspect, image: await image };
    }),
  );
}

/** Of an image that is gone nothing is known: all that its containers have is their own. */
async function readImage(read: () => Promise<z.output<typeof adoptedImage>>): Promise<Found["image"]> {
  try {
    return (await read()).Config ?? {};
  } catch (error) {
    if (error instanceof FlotillaError && error.code === "not_found") return {};
    throw error;
  }
}

/** What the revision cannot say is not taken over, or it would be gone with the next container without a word. */
function refuseWhatIsLost({ services }: AdoptionDraft, { project }: LoadedStack): void {
  for (const { name, found, containers } of services) {
    const { HostConfig: after = HostConfig.parse({}) } = ContainerCreateBody.parse(toContainerBody(project, name));
    const lost = unlikeHostConfigs(found.inspect.HostConfig, after);
    if (lost.length === 0) continue;
    for (const container of containers) {
      container.isTaken = false;
      container.why = reason("not_kept", { container: container.name, what: lost.join(", ") });
    }
  }
}

function toPlanned({ name, containers }: AdoptionDraft["services"][number], host: string): PlannedService {
  const replicas = containers.map(({ slot, isTaken, why }): PlannedReplica => {
    return { slot, host, fromHost: host, act: isTaken ? "keep" : "replace", because: formatReason(why), reasons: [why] };
  });
  return { name, change: "create", reasons: [], differs: [], replicas };
}

/** Another one when a container came, went, was started, stopped or changed. */
function basisOf(containers: readonly Found[]): string {
  const ordered = containers.map(({ inspect }) => inspect).toSorted((a, b) => (a.Id < b.Id ? -1 : 1));
  const seen = ordered.map(({ Id, State, Config, HostConfig: host, Mounts, NetworkSettings }) => {
    return [Id, State.Running, Config, host, Mounts, Object.keys(NetworkSettings.Networks)];
  });
  return createHash("sha256").update(JSON.stringify(seen)).digest("hex").slice(0, 32);
}
