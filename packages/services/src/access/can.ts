import { type Action, ruleOf } from "./actions.ts";
import type { Actor } from "./actor.ts";

export const OBJECT_KINDS = [
  "instance",
  "team",
  "user",
  "token",
  "member",
  "host",
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
};

export type Decision = { allowed: true } | { allowed: false; because: "unauthenticated" | "forbidden" | "invisible" };

const ALLOWED: Decision = { allowed: true };

/**
 * The one place that decides. Default deny: everything that is not said by a rule of `ACTIONS` is refused.
 * `invisible` is for objects of other teams: the caller is told the same as for an object that does not exist.
 */
export function can(actor: Actor, action: Action, object: ObjectRef): Decision {
  if (actor.kind === "system") return ALLOWED;
  const { who, publicToo, hosts } = ruleOf(action);
  if (who === "everyone") return ALLOWED;
  if (publicToo === true && object.isPublic === true) return ALLOWED;
  if (actor.kind === "anonymous") return { allowed: false, because: "unauthenticated" };
  if (actor.kind === "host") {
    if (hosts === true && object.teamId === actor.teamId) return ALLOWED;
    return { allowed: false, because: "forbidden" };
  }
  if (who === "owner") {
    if (object.ownerId === actor.userId) return ALLOWED;
    return { allowed: false, because: "invisible" };
  }
  if (object.teamId !== actor.team.id) return { allowed: false, because: "invisible" };
  return who.includes(actor.role) ? ALLOWED : { allowed: false, because: "forbidden" };
}
