// Compose projects that run on hosts and belong to no stack.
import { ContainerSummary } from "@flotilla/engine-api";
import { REPLICA_LABEL } from "@flotilla/protocol";
import { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { can } from "../../access/can.ts";
import { requireUser } from "../../access/authorize.ts";
import type { ServiceContext } from "../../context.ts";
import { askHosts, type HostList } from "../../engine/ask-hosts.ts";
import { engineJson } from "../../engine/engine-call.ts";
import { hostObject } from "../../hosts/find-host.ts";
import { hostRef } from "../../hosts/schemas.ts";
import { stackName } from "../stack-source.ts";
import { COMPOSE_LABELS } from "./compose-labels.ts";

export const outsideInput = z.object({ host: hostRef.optional() });

export type OutsideProject = {
  project: string;
  services: { name: string; running: number; containers: number }[];
  running: number;
  containers: number;
  /** Whether the caller may make a stack of it; not when there is one of its name, nor when its name can be none. */
  canAdopt: boolean;
};

/** Of one host, or of all that the team can see. A project is there once for each host; one with nothing that runs is not. */
export async function listOutside(
  services: ServiceContext,
  actor: Actor,
  input: z.output<typeof outsideInput>,
): Promise<HostList<OutsideProject>> {
  const { team } = requireUser(actor);
  const stacks = await services.prisma.stack.findMany({ where: { teamId: team.id }, select: { name: true } });
  const names = new Set(stacks.map(({ name }) => name));
  return askHosts(services, actor, {
    host: input.host,
    action: "container.read",
    ask: async (link, namespace, host) => {
      const filters = encodeURIComponent(JSON.stringify({ label: [COMPOSE_LABELS.project] }));
      const path = `/containers/json?all=1&filters=${filters}`;
      const rows = await engineJson(link, { namespace, method: "GET", path }, z.array(ContainerSummary));
      const mayAdopt = host.teamId === team.id && can(actor, "stack.adopt", hostObject(host)).allowed;
      return groupProjects(rows).map((project) => ({
        ...project,
        canAdopt: mayAdopt && !names.has(project.project) && stackName.safeParse(project.project).success,
      }));
    },
  });
}

/** By project and service, in the order of their names. Containers of stacks and of single runs are not there. Pure. */
export function groupProjects(rows: readonly Pick<ContainerSummary, "Labels" | "State">[]): Omit<OutsideProject, "canAdopt">[] {
  const own = rows.filter(({ Labels: labels }) => !(REPLICA_LABEL in labels) && labels[COMPOSE_LABELS.oneoff] !== "True");
  const isRunning = ({ State }: Pick<ContainerSummary, "State">): boolean => ["running", "paused", "restarting"].includes(State);
  const projects = [...Map.groupBy(own, ({ Labels }) => Labels[COMPOSE_LABELS.project] ?? "")].flatMap(([project, containers]) => {
    const services = [...Map.groupBy(containers, ({ Labels }) => Labels[COMPOSE_LABELS.service] ?? "")].map(([name, ofService]) => ({
      name,
      running: ofService.filter(isRunning).length,
      containers: ofService.length,
    }));
    const running = containers.filter(isRunning).length;
    return project === "" || running === 0
      ? []
      : [{ project, services: services.toSorted((a, b) => (a.name < b.name ? -1 : 1)), running, containers: containers.length }];
  });
  return projects.toSorted((a, b) => (a.project < b.project ? -1 : 1));
}
