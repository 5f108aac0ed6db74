// Networks that stacks made go with them, but not while something is in them: a container that a person connected, or one of a host that has
// not yet said that it is gone. They carry the name of their stack, and are removed by any later round once they are free.
import { Prisma, type Transaction } from "@flotilla/db";
import { z } from "zod";

/** Label of the networks that stacks make for themselves: the name of the stack. */
export const STACK_LABEL = "io.flotilla.stack";

const withEndpoints = z.object({ endpoints: z.array(z.unknown()).min(1) });

/** The ids of those networks that no host says anything to be in. */
export async function freeOf(tx: Transaction, networks: readonly { id: string }[]): Promise<string[]> {
  const keyOf = (id: string): string => `network/${id}`;
  const said = await tx.hostObserved.findMany({
    where: { key: { in: networks.map(({ id }) => keyOf(id)) } },
    select: { key: true, body: true },
  });
  const busy = new Set(said.filter(({ body }) => withEndpoints.safeParse(body).success).map(({ key }) => key));
  return networks.filter(({ id }) => !busy.has(keyOf(id))).map(({ id }) => id);
}

/** Networks of stacks that are gone. Another stack of the same name takes them over. */
export const orphanNetworks = { labels: { path: [STACK_LABEL], string_contains: "" } };

const orphanRows = z.array(z.object({ id: z.string() }));

/** Removes what is free of them. Returns whether hosts are to be told. */
export async function removeOrphanNetworks(tx: Transaction, teamId: string): Promise<boolean> {
  const found = await tx.$queryRaw(Prisma.sql`
    SELECT n.id FROM overlay_networks n WHERE n.team_id = ${teamId} AND jsonb_typeof(n.labels -> ${STACK_LABEL}::text) = 'string'
      AND NOT EXISTS (SELECT FROM stacks WHERE team_id = ${teamId} AND name = n.labels ->> ${STACK_LABEL}::text)`);
  const orphans = orphanRows.parse(found);
  if (orphans.length === 0) return false;
  const { count } = await tx.overlayNetwork.deleteMany({ where: { id: { in: await freeOf(tx, orphans) } } });
  return count > 0;
}
