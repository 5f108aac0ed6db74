import type { Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { readStandings } from "../hosts/judge-hosts.ts";
import { describeMesh, type Mesh } from "./describe-mesh.ts";
import { readOverlayRows } from "./overlay-rows.ts";

/** The hosts of the caller's team, what they see of each other, and what networks are between them. */
export async function readMesh(services: ServiceContext, actor: Actor): Promise<Mesh> {
  const { team } = requireUser(actor);
  const [rows, standings] = await Promise.all([
    services.prisma.$transaction((tx) => readOverlayRows(tx, team.id)),
    readStandings(services, team.id),
  ]);
  const live = standings.map(({ id, standing }) => [id, { standing, isOnline: services.links.state(id).isOnline }] as const);
  return describeMesh(rows, new Map(live));
}
