import type { z } from "zod";
import { appRouter } from "../app-router.ts";
import { ENGINE_ROUTES } from "./routes/engine.ts";
import { HOST_ROUTES } from "./routes/hosts.ts";
import { NETWORK_ROUTES } from "./routes/networks.ts";
import { PEOPLE_ROUTES } from "./routes/people.ts";
import { REGISTRY_ROUTES } from "./routes/registry.ts";
import { STACK_ROUTES } from "./routes/stacks.ts";
import { TEAM_ROUTES } from "./routes/teams.ts";
import { WEBHOOK_ROUTES } from "./routes/webhooks.ts";
import type { RestRoute } from "./route.ts";

/** By path of the procedure. Every query and mutation is here or in `WITHOUT_REST`: a test demands it. */
export const REST_ROUTES: ReadonlyMap<string, RestRoute> = new Map<string, RestRoute>([
  ...PEOPLE_ROUTES,
  ...TEAM_ROUTES,
  ...HOST_ROUTES,
  ...ENGINE_ROUTES,
  ...NETWORK_ROUTES,
  ...STACK_ROUTES,
  ...REGISTRY_ROUTES,
  ...WEBHOOK_ROUTES,
]);

/** Queries and mutations that REST does not have, and why. Subscriptions are WebSockets and not here. */
export const WITHOUT_REST: Readonly<Record<string, string>> = {
  "me.switchTeam": "a token is of one team; a session of the dashboard acts for another by it",
  "sessions.list": "sessions are the dashboard's; a program has its token",
  "sessions.revoke": "as sessions.list",
  "invitations.look": "of the page that the link of an invitation leads to",
  "invitations.accept": "as invitations.look",
  "terminal.open": "gives a ticket for a WebSocket of the dashboard; programs use the Docker API's exec",
  "terminal.reattach": "as terminal.open",
};

/** Tags of the document, by the first part of a procedure's path. */
export const TAGS: Readonly<Record<string, string>> = {
  setup: "Set-up",
  me: "Account",
  sessions: "Account",
  members: "Members",
  roles: "Members",
  invitations: "Members",
  teams: "Instance",
  people: "Instance",
  guards: "Hosts",
  tokens: "API tokens",
  serviceAccounts: "Service accounts",
  webhooks: "Webhooks",
  activity: "Audit",
  hosts: "Hosts",
  overview: "Hosts",
  containers: "Containers",
  images: "Images",
  volumes: "Volumes",
  networks: "Networks",
  stacks: "Stacks",
  services: "Stacks",
  deployments: "Deployments",
  secrets: "Secrets and configs",
  configs: "Secrets and configs",
  registry: "Registry",
};

export type Procedure = { path: string; type: "query" | "mutation" | "subscription"; input: z.ZodType | undefined };

type Described = { _def: { type: Procedure["type"]; inputs: z.ZodType[] } };

/** A procedure with the schema of its input; tRPC keeps a flat record of all of them here. */
export function findProcedure(path: string): Procedure | undefined {
  const found = (appRouter._def.procedures as unknown as Record<string, Described | undefined>)[path];
  return found === undefined ? undefined : { path, type: found._def.type, input: found._def.inputs[0] };
}
