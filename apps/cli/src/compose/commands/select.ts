import { FlotillaError } from "@flotilla/core";
import { type ContainerRow, isOneOff, listContainers, numberOf, serviceOf } from "../engine/observe.ts";
import type { Session } from "../session.ts";

export type Selection = { name: string; rows: ContainerRow[]; loaded: Awaited<ReturnType<Session["findProject"]>>["loaded"] };

/** The containers of a project's services (all when none is named), one-off ones left out. @throws not_found for a service that neither the file nor the engine knows. */
export async function selectContainers(session: Session, services: readonly string[]): Promise<Selection> {
  const { name, loaded } = await session.findProject();
  const rows = (await listContainers(session.engine, name)).filter((row) => !isOneOff(row));
  const known = new Set([
    ...rows.map(serviceOf),
    ...Object.keys(loaded?.project.services ?? {}),
    ...Object.keys(loaded?.disabledServices ?? {}),
  ]);
  for (const service of services) if (!known.has(service)) throw new FlotillaError("not_found", `no such service: ${service}`);
  return { name, loaded, rows: services.length === 0 ? rows : rows.filter((row) => services.includes(serviceOf(row))) };
}

/** The running container of a service with a number (the first when none is given). @throws not_found, conflict. */
export async function selectOne(session: Session, service: string, index?: number): Promise<ContainerRow> {
  const { rows } = await selectContainers(session, [service]);
  const running = rows.filter(({ State }) => State === "running");
  const found = index === undefined ? running[0] : running.find((row) => numberOf(row) === index);
  if (found !== undefined) return found;
  const what = index === undefined ? `service "${service}" is not running` : `service "${service}" has no running container #${index}`;
  throw new FlotillaError("conflict", what);
}
