import { FlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import type { Actor } from "../access/actor.ts";
import { difference } from "../audit/difference.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { findHost, hostObject } from "./find-host.ts";

/** Gives a host another name. Rights are bound to its id and stay. @throws conflict when the name is taken. */
export async function renameHost(services: ServiceContext, actor: Actor, input: { host: string; name: string }): Promise<void> {
  const host = await findHost(services, actor, input.host);
  try {
    await services.prisma.$transaction(async (tx) => {
      await tx.host.update({ where: { id: host.id }, data: { name: input.name } });
      const changes = difference({ name: host.name }, { name: input.name });
      await recordAudit(tx, { actor, action: "host.rename", object: hostObject(host), outcome: "ok", changes });
    });
    services.cache.clear();
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002") {
      throw new FlotillaError("conflict", `the name ${input.name} is already in use by another host`);
    }
    throw error;
  }
}
