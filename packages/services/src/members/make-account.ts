import { randomUUID } from "node:crypto";
import type { Transaction } from "@flotilla/db";
import { z } from "zod";
import type { StoredRole } from "../access/assign.ts";

/** E-mail addresses are compared in lower case, as better-auth does. */
export const emailAddress = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase());
export const personName = z.string().trim().min(1).max(100);
/** Length only: NIST SP 800-63B advises against rules of composition. */
export const password = z.string().min(10, "must have at least 10 characters").max(128);

export type NewAccount = { name: string; email: string; passwordHash: string; teamId: string; isInstanceAdmin?: boolean } & StoredRole;

/** Writes the rows of a person who can sign in by password (better-auth's `credential` account) and their membership. */
export async function makeAccount(tx: Transaction, account: NewAccount): Promise<{ userId: string }> {
  const userId = randomUUID();
  await tx.user.create({
    data: { id: userId, name: account.name, email: account.email, emailVerified: true, isInstanceAdmin: account.isInstanceAdmin ?? false },
  });
  await tx.account.create({
    data: { id: randomUUID(), userId, accountId: userId, providerId: "credential", password: account.passwordHash },
  });
  await tx.membership.create({ data: { userId, teamId: account.teamId, role: account.role, roleId: account.roleId } });
  return { userId };
}
