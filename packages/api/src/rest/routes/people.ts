import { z } from "zod";
import { nothing, route, time } from "../route.ts";
import { role } from "./teams.ts";

const member = z.object({ id: z.string(), name: z.string(), email: z.string(), role, hasTwoFactor: z.boolean(), createdAt: time });
const token = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
  lastUsedAddress: z.string().nullable(),
  rights: z.array(z.string()).nullable(),
  hosts: z.array(z.string()).nullable(),
});
const madeToken = z.object({ id: z.string(), token: z.string() });
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const auditRow = z.object({
  id: z.string(),
  time,
  actor: z.object({ kind: z.string(), name: z.string() }),
  action: z.string(),
  object: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
  outcome: z.enum(["ok", "refused", "failed", "started"]),
  address: z.string().nullable(),
  detail: z.record(z.string(), value),
  changes: z.array(z.object({ field: z.string(), from: value, to: value })),
});

export const PEOPLE_ROUTES = [
  route("setup.status", {
    method: "GET",
    path: "/setup",
    summary: "Whether the first administrator is still to be made",
    output: z.object({ needsSetup: z.boolean() }),
  }),
  route("setup.complete", { method: "POST", path: "/setup", summary: "Make the first administrator", output: nothing }),
  route("me.get", {
    method: "GET",
    path: "/me",
    summary: "Who the token acts as",
    output: z.object({
      user: z.object({
        id: z.string(),
        name: z.string(),
        email: z.string(),
        role: role.nullable(),
        isInstanceAdmin: z.boolean(),
        hasTwoFactor: z.boolean(),
      }),
      rights: z.array(z.string()),
      lent: z.array(z.object({ id: z.string(), name: z.string(), rights: z.array(z.string()) })),
      team: z.object({ id: z.string(), name: z.string(), slug: z.string() }),
      teams: z.array(z.object({ id: z.string(), name: z.string(), slug: z.string() })),
      lacksTwoFactor: z.boolean(),
      version: z.string(),
    }),
  }),
  route("me.update", { method: "PATCH", path: "/me", summary: "Change one's own name", output: nothing }),
  route("members.list", {
    method: "GET",
    path: "/members",
    summary: "Members of the team",
    output: z.array(member),
    list: (item) => item.id,
  }),
  route("members.create", {
    method: "POST",
    path: "/members",
    summary: "Make an account in the team",
    output: z.object({ id: z.string() }),
    isCreation: true,
  }),
  route("members.remove", { method: "DELETE", path: "/members/{id}", summary: "Remove a person", output: nothing }),
  route("tokens.list", {
    method: "GET",
    path: "/tokens",
    summary: "API tokens, without their text",
    output: z.array(token),
    list: (item) => item.id,
  }),
  route("tokens.create", {
    method: "POST",
    path: "/tokens",
    summary: "Make an API token; its text is answered once",
    output: madeToken,
    isCreation: true,
  }),
  route("tokens.revoke", { method: "DELETE", path: "/tokens/{id}", summary: "Revoke an API token", output: nothing }),
  route("serviceAccounts.list", {
    method: "GET",
    path: "/service-accounts",
    summary: "Accounts that programs act as, with their tokens",
    output: z.array(z.object({ id: z.string(), name: z.string(), role, createdAt: time, tokens: z.array(token) })),
    list: (item) => item.id,
  }),
  route("serviceAccounts.create", {
    method: "POST",
    path: "/service-accounts",
    summary: "Make a service account",
    output: z.object({ id: z.string() }),
    isCreation: true,
  }),
  route("serviceAccounts.remove", {
    method: "DELETE",
    path: "/service-accounts/{id}",
    summary: "Remove a service account with its tokens",
    output: nothing,
  }),
  route("serviceAccounts.createToken", {
    method: "POST",
    path: "/service-accounts/{id}/tokens",
    summary: "Make a token of a service account; its text is answered once",
    output: madeToken,
    isCreation: true,
  }),
  route("serviceAccounts.revokeToken", {
    method: "DELETE",
    path: "/service-accounts/{id}/tokens/{tokenId}",
    summary: "Revoke a token of a service account",
    output: nothing,
  }),
  route("activity.list", {
    method: "GET",
    path: "/audit",
    summary: "Rows of the audit, newest first",
    output: z.object({ items: z.array(auditRow), nextCursor: z.string().nullable() }),
    list: "own",
  }),
  route("activity.verify", {
    method: "GET",
    path: "/audit/chain",
    summary: "Walk the audit's hash chain and name the first row that breaks it",
    output: z.object({
      isWhole: z.boolean(),
      fault: z.object({ seq: z.string(), rowId: z.string(), reason: z.string() }).nullable(),
      sealCount: z.number(),
      head: z.object({ seq: z.string(), hash: z.string() }),
      prunedTo: z.object({ seq: z.string(), at: time }).nullable(),
    }),
  }),
] as const;
