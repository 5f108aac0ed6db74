import type { Transaction } from "@flotilla/db";

/** Key of the advisory lock under which people, roles and teams change: that the last owner stays is true of none alone. */
const PEOPLE_LOCK = 7_420_002;

/** Until the transaction ends nobody else changes who belongs where. */
export async function lockPeople(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${PEOPLE_LOCK}::bigint)`;
}

/**
 * Takes a person out of a team, with their tokens for it. An account that is in no team then, and looks after no instance, could
 * do nothing: it is removed, and true is returned.
 */
export async function takeOutOfTeam(tx: Transaction, { teamId, userId }: { teamId: string; userId: string }): Promise<boolean> {
  await tx.apiToken.deleteMany({ where: { teamId, userId } });
  await tx.membership.deleteMany({ where: { teamId, userId } });
  await tx.session.updateMany({ where: { userId, activeTeamId: teamId }, data: { activeTeamId: null } });
  const { count } = await tx.user.deleteMany({ where: { id: userId, isInstanceAdmin: false, memberships: { none: {} } } });
  return count > 0;
}
