import { type Action, ruleOf } from "./actions.ts";
import type { Actor, UserActor } from "./actor.ts";
import type { Right } from "./rights.ts";

export const OBJECT_KINDS = [
  "instance",
  "team",
  "user",
  "token",
  "member",
  "serviceAccount",
  "webhook",
  "role",
  "invitation",
  "session",
  "host",
  "grant",
  "joinToken",
  "container",
  "image",
  "volume",
  "network",
  "stack",
  "secret",
  "config",
  "repository",
  "registry",
] as const;

/** What an action is done to. `teamId` null belongs to no team; `ownerId` is the person it belongs to; `isPublic` opens what may be opened. */
export type ObjectRef = {
  kind: (typeof OBJECT_KINDS)[number];
  id: string;
  name: string;
  teamId: string | null;
  ownerId?: string;
  isPublic?: boolean;
  /** Where it lies, and whose host that is: on a host of another team the grant must allow the action too. */
  host?: { id: string; teamId: string };
};

export type Decision = { allowed: true } | { allowed: false; because: "unauthenticated" | "forbidden" | "invisible" };

const ALLOWED: Decision = { allowed: true };
const FORBIDDEN: Decision = { allowed: false, because: "forbidden" };
const INVISIBLE: Decision = { allowed: false, because: "invisible" };
const UNAUTHENTICATED: Decision = { allowed: false, because: "unauthenticated" };

/**
 * The one place that decides. Default deny: everything that is not said by a rule of `ACTIONS` is refused.
 * `invisible` is for objects of other teams: the caller is told the same as for an object that does not exist.
 */
export function can(actor: Actor, action: Action, object: ObjectRef): Decision {
  if (actor.kind === "system") return ALLOWED;
  const { needs, changes, publicToo, hosts } = ruleOf(action);
  if (needs === "everyone") return ALLOWED;
  if (publicToo === true && object.isPublic === true) return ALLOWED;
  if (actor.kind === "anonymous") return UNAUTHENTICATED;
  if (actor.kind === "host") return hosts === true && object.teamId === actor.teamId ? ALLOWED : FORBIDDEN;
  const outside = decideByScope(actor, changes, object);
  if (outside !== undefined && (needs !== "owner" || changes)) return outside;
  if (needs === "owner" && changes && actor.isScoped === true) return FORBIDDEN;
  if (needs === "owner") return object.ownerId === actor.userId ? ALLOWED : INVISIBLE;
  if (needs === "instanceAdmin") return actor.isInstanceAdmin ? ALLOWED : FORBIDDEN;
  if (object.teamId !== actor.team.id) return INVISIBLE;
  if (needs === "member") return ALLOWED;
  return decideByRights(actor, needs, object);
}

/** What a token of some hosts is kept from, whatever its rights. */
function decideByScope({ hostIds }: UserActor, changes: boolean, object: ObjectRef): Decision | undefined {
  if (hostIds === undefined) return undefined;
  const hostId = object.host?.id ?? (object.kind === "host" ? object.id : undefined);
  if (hostId !== undefined) return hostIds.has(hostId) ? undefined : INVISIBLE;
  return changes ? FORBIDDEN : undefined;
}

function decideByRights(actor: UserActor, needs: readonly Right[], object: ObjectRef): Decision {
  const { host } = object;
  if (host !== undefined && host.teamId !== actor.team.id) {
    const granted = actor.grants.get(host.id);
    if (granted === undefined) return INVISIBLE;
    if (!hasAll(granted, needs)) return FORBIDDEN;
  }
  return hasAll(actor.rights, needs) ? ALLOWED : FORBIDDEN;
}

function hasAll(rights: ReadonlySet<Right>, needs: readonly Right[]): boolean {
  for (const right of needs) if (!rights.has(right)) return false;
  return true;
}
