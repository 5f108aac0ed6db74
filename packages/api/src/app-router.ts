import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { containersRouter } from "./router/containers.ts";
import { guardsRouter } from "./router/guards.ts";
import { hostsRouter } from "./router/hosts.ts";
import { imagesRouter } from "./router/images.ts";
import { peopleRouter, teamsRouter } from "./router/instance.ts";
import { meRouter, sessionsRouter } from "./router/me.ts";
import { invitationsRouter, membersRouter, rolesRouter } from "./router/members.ts";
import { activityRouter, liveRouter, overviewRouter } from "./router/overview.ts";
import { networksRouter } from "./router/networks.ts";
import { registryRouter } from "./router/registry.ts";
import { setupRouter } from "./router/setup.ts";
import { configsRouter, deploymentsRouter, secretsRouter, servicesRouter, stacksRouter } from "./router/stacks.ts";
import { terminalRouter } from "./router/terminal.ts";
import { serviceAccountsRouter, tokensRouter } from "./router/tokens.ts";
import { volumesRouter } from "./router/volumes.ts";
import { webhooksRouter } from "./router/webhooks.ts";
import { createRouter } from "./trpc.ts";

/** Every procedure of the control plane; `docs/design/control-api.md` is its contract with the dashboard. */
export const appRouter = createRouter({
  setup: setupRouter,
  me: meRouter,
  sessions: sessionsRouter,
  members: membersRouter,
  roles: rolesRouter,
  invitations: invitationsRouter,
  teams: teamsRouter,
  people: peopleRouter,
  tokens: tokensRouter,
  serviceAccounts: serviceAccountsRouter,
  hosts: hostsRouter,
  guards: guardsRouter,
  overview: overviewRouter,
  containers: containersRouter,
  images: imagesRouter,
  webhooks: webhooksRouter,
  volumes: volumesRouter,
  networks: networksRouter,
  stacks: stacksRouter,
  services: servicesRouter,
  deployments: deploymentsRouter,
  secrets: secretsRouter,
  configs: configsRouter,
  registry: registryRouter,
  activity: activityRouter,
  terminal: terminalRouter,
  live: liveRouter,
});

export type AppRouter = typeof appRouter;
export type RouterInputs = inferRouterInputs<AppRouter>;
export type RouterOutputs = inferRouterOutputs<AppRouter>;
