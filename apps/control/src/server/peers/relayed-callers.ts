import { relayedCaller, type RelayedCaller } from "@flotilla/protocol";
import { refreshActor, type ServiceContext } from "@flotilla/services";

/** Who is behind a ticket that was issued here, for the control plane that holds the host. Undefined when it is nobody's. */
export function describeCaller(callers: ServiceContext["callers"], hostId: string, ticket: string): string | undefined {
  const actor = callers.find(hostId, ticket);
  if (actor?.kind !== "user") return undefined;
  const { userId, credential, address, team } = actor;
  const caller: RelayedCaller = { userId, teamId: team.id, credential, address };
  // A header's value is ASCII.
  return Buffer.from(JSON.stringify(caller)).toString("base64url");
}

/**
 * A ticket of this control plane for a caller of another one. Who they are and what they may is read from the database again:
 * undefined when they are not whom the other one says, or not there any more.
 */
export async function issueRelayedTicket(
  services: ServiceContext,
  hostId: string,
  caller: string,
): Promise<{ ticket: string; end: () => void } | undefined> {
  const parsed = relayedCaller.safeParse(parseJson(caller));
  if (!parsed.success) return undefined;
  const { userId, teamId, credential, address } = parsed.data;
  const actor = await refreshActor(services, { credential, address });
  if (actor === undefined || actor.userId !== userId || actor.team.id !== teamId) return undefined;
  return services.callers.issue(hostId, actor);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
