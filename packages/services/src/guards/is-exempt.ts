import type { UserActor } from "../access/actor.ts";

/** Whether the guard rails of hosts do not bind somebody. Services of stacks are bound whoever deploys them. */
export function isExemptFromGuards(user: UserActor): boolean {
  return user.isInstanceAdmin;
}
