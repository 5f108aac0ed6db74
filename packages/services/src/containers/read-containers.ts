import { ContainerInspect, ContainerSummary } from "@flotilla/engine-api";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { can } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";
import { askHosts, type HostBrief, type HostList, openHost } from "../engine/ask-hosts.ts";
import { engineJson, engineList } from "../engine/engine-call.ts";
import { once } from "../engine/shared-reads.ts";
import { hostObject, type VisibleHost } from "../hosts/find-host.ts";
import { redactInspect, redactSummary } from "./redact-containers.ts";
import { type StatsSample, dockerStats, toStatsSample } from "./stats-sample.ts";

export type ContainerRow = ContainerSummary & { host: HostBrief };
export type ContainerDetail = ContainerInspect & { host: HostBrief };
export type ContainerTop = { titles: string[]; processes: string[][] };

type Ref = { host: string; id: string };

const containerRows = z.array(ContainerSummary);
const redactRows = once((rows: ContainerSummary[]) => rows.map(redactSummary));

/** Containers of one host or of all, running or not. */
export function listContainers(
  services: ServiceContext,
  actor: Actor,
  input: { host?: string | undefined },
): Promise<HostList<ContainerSummary>> {
  return askHosts(services, actor, {
    host: input.host,
    action: "container.read",
    ask: async (link, namespace, host) => {
      const rows = await engineList(services.links, link, { namespace, path: "/containers/json?all=1", schema: containerRows });
      return maySeeInside(actor, host) ? rows : redactRows(rows);
    },
  });
}

export async function inspectContainer(services: ServiceContext, actor: Actor, ref: Ref): Promise<ContainerDetail> {
  const { host, link, namespace, brief } = await openHost(services, actor, ref.host);
  const detail = await engineJson(link, { namespace, method: "GET", path: `/containers/${segment(ref.id)}/json` }, ContainerInspect);
  return { ...(maySeeInside(actor, host) ? detail : redactInspect(detail)), host: brief };
}

/** Whether the caller may see environments, arguments and labels of the host's containers. */
function maySeeInside(actor: Actor, host: VisibleHost): boolean {
  return can(actor, "container.inspect", hostObject(host)).allowed;
}

const topAnswer = z.object({ Titles: z.array(z.string()), Processes: z.array(z.array(z.string())).nullable() });

export async function topContainer(services: ServiceContext, actor: Actor, ref: Ref): Promise<ContainerTop> {
  const { link, namespace } = await openHost(services, actor, ref.host);
  const answer = await engineJson(link, { namespace, method: "GET", path: `/containers/${segment(ref.id)}/top` }, topAnswer);
  return { titles: answer.Titles, processes: answer.Processes ?? [] };
}

/** One sample, measured by the engine over its own interval. */
export async function statsOfContainer(services: ServiceContext, actor: Actor, ref: Ref): Promise<StatsSample> {
  const { link, namespace } = await openHost(services, actor, ref.host);
  return toStatsSample(
    await engineJson(link, { namespace, method: "GET", path: `/containers/${segment(ref.id)}/stats?stream=0` }, dockerStats),
  );
}

/** A name or id as one segment of a path. */
export function segment(ref: string): string {
  return encodeURIComponent(ref.replace(/^\//, ""));
}
