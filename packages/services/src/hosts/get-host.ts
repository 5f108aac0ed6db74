import { toFlotillaError } from "@flotilla/core";
import { HOST_UNDERLAY, hostUnderlay, type HostUnderlay } from "@flotilla/protocol";
import { z } from "zod";
import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { engineJson } from "../engine/engine-call.ts";
import { type DesiredStateSummary, readHostState } from "../host-state/read-host-state.ts";
import { findHost } from "./find-host.ts";
import type { HostRow } from "./schemas.ts";
import { toHostRow } from "./to-host-row.ts";

/** The parts of `docker info` that pages show; everything else is passed through. */
export const dockerInfo = z.looseObject({
  Containers: z.number(),
  ContainersRunning: z.number(),
  ContainersPaused: z.number(),
  ContainersStopped: z.number(),
  Images: z.number(),
  Driver: z.string().optional(),
  ServerVersion: z.string().optional(),
  CgroupVersion: z.string().optional(),
  DefaultRuntime: z.string().optional(),
});
export type DockerInfo = z.output<typeof dockerInfo>;

/** How others reach a host, as it says itself; null before it has. */
export type HostUnderlayFacts = Pick<HostUnderlay, "address" | "mtuBytes" | "encryption" | "encryptionLack">;

export type HostDetail = HostRow & {
  underlay: HostUnderlayFacts | null;
  /** Null for a host of another team. */
  desiredState: DesiredStateSummary | null;
  info: DockerInfo | null;
  labels: Record<string, string>;
};

const labelsSchema = z.record(z.string(), z.string());

/** One host with its engine's own information, which is null while the host is away. */
export async function getHost(services: ServiceContext, actor: Actor, ref: string): Promise<HostDetail> {
  const user = requireUser(actor);
  const host = await findHost(services, user, ref);
  const live = services.links.state(host.id);
  const labels = labelsSchema.safeParse(host.labels);
  const [info, desiredState, underlay] = await Promise.all([
    live.isOnline ? readInfo() : null,
    host.teamId === host.seenBy ? readHostState(services, host.id) : null,
    readUnderlay(services, host.id),
  ]);
  return { ...toHostRow(host, live), info, desiredState, underlay, labels: labels.success ? labels.data : {} };

  async function readInfo(): Promise<DockerInfo | null> {
    try {
      return await engineJson(services.links.get(host), { namespace: user.team.namespace, method: "GET", path: "/info" }, dockerInfo);
    } catch (error) {
      services.logger.warn("host did not answer info", { hostId: host.id, error: toFlotillaError(error).message });
      return null;
    }
  }
}

async function readUnderlay(services: ServiceContext, hostId: string): Promise<HostUnderlayFacts | null> {
  const said = await services.prisma.hostObserved.findFirst({ where: { hostId, key: HOST_UNDERLAY }, select: { body: true } });
  const parsed = hostUnderlay.safeParse(said?.body);
  if (!parsed.success) return null;
  const { address, mtuBytes, encryption, encryptionLack } = parsed.data;
  return { address, mtuBytes, encryption, encryptionLack };
}
