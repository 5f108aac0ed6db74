import { appRouter, listProcedures } from "@flotilla/api";
import { silentLogger } from "@flotilla/core";
import {
  type Action,
  ACTIONS,
  findActorByToken,
  issueRegistryToken,
  LiveFeed,
  type Right,
  RIGHTS,
  rightsNeeded,
  rightsOfRole,
  ruleOf,
} from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listDockerRoutes } from "../../apps/control/src/server/docker-proxy/classify.ts";
import { operationOf, parseRegistryRoute } from "../../apps/control/src/server/registry/parse-route.ts";
import { ADMIN_TOKEN, type CallError, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, startLinkedAgent } from "../support/linked-agent.ts";

// Every procedure, route and socket, tried as everybody. A new procedure must get an input here: the test fails until it has one.
/** Rights whose actions come with service accounts and webhooks. */
const RESERVED: readonly Right[] = ["token.manage", "webhook.manage"];
const HOST = { host: "web-1" };
const REPOSITORY = { repository: "team/app" };
const CONTAINER = { ...HOST, id: "c1" };
const STACK = { stack: "none" };
const PROJECT = { name: "shop", files: { "compose.yaml": "services: { web: { image: busybox } }" } };
const INPUTS: Readonly<Record<string, unknown>> = {
  "setup.status": undefined,
  "setup.complete": { token: "x", name: "x", email: "x@example.test", password: "long enough x", teamName: "x" },
  "me.get": undefined,
  "me.update": { name: "x" },
  "me.switchTeam": { id: "none" },
  "members.list": undefined,
  "members.create": { name: "x", email: "new@example.test", password: "long enough x", role: "deployer" },
  "members.setRole": { id: "nobody", role: "viewer" },
  "members.remove": { id: "nobody" },
  "members.access": { person: "nobody" },
  "sessions.list": undefined,
  "sessions.revoke": { id: "nothing" },
  "roles.list": undefined,
  "roles.create": { name: "matrix", rights: ["container.read"] },
  "roles.update": { id: "none", name: "x", rights: [] },
  "roles.remove": { id: "none" },
  "invitations.list": undefined,
  "invitations.create": { email: "invited@example.test", role: "viewer" },
  "invitations.revoke": { id: "none" },
  "invitations.look": { token: "none" },
  "invitations.accept": { token: "none" },
  "teams.list": undefined,
  "teams.create": { name: "Made", slug: "made" },
  "teams.update": { id: "none", name: "x" },
  "teams.remove": { id: "none" },
  "people.list": {},
  "people.setInstanceAdmin": { id: "none", isInstanceAdmin: true },
  "people.endSessions": { id: "none" },
  "people.resetTwoFactor": { id: "none" },
  "people.remove": { id: "none" },
  "tokens.list": undefined,
  "tokens.create": { name: "x", expiresInDays: 1 },
  "tokens.revoke": { id: "nothing" },
  "serviceAccounts.list": undefined,
  "serviceAccounts.create": { name: "ci", role: "viewer" },
  "serviceAccounts.remove": { id: "nothing" },
  "serviceAccounts.createToken": { id: "nothing", name: "x", expiresInDays: 1 },
  "serviceAccounts.revokeToken": { id: "nothing", tokenId: "nothing" },
  "webhooks.list": undefined,
  "webhooks.create": { name: "x", url: "https://hooks.example.test/x", events: ["webhook.test"] },
  "webhooks.update": { id: "nothing", isEnabled: false },
  "webhooks.remove": { id: "nothing" },
  "webhooks.rotate": { id: "nothing" },
  "webhooks.test": { id: "nothing" },
  "webhooks.deliveries": { id: "nothing" },
  "webhooks.redeliver": { id: "nothing", deliveryId: "nothing" },
  "hosts.list": undefined,
  "hosts.get": HOST,
  "hosts.rename": { ...HOST, name: "web-1" },
  "hosts.place": { ...HOST, availability: "active" },
  "hosts.remove": HOST,
  "hosts.grants.list": HOST,
  "hosts.grants.set": { ...HOST, team: "nowhere", rights: ["container.read"], limits: {} },
  "hosts.grants.remove": { ...HOST, id: "none" },
  "guards.get": HOST,
  "guards.getDefault": undefined,
  "guards.set": { ...HOST, limits: {}, allow: {} },
  "guards.reset": HOST,
  "hosts.joinTokens.create": { expiresInMinutes: 1, uses: 1 },
  "hosts.joinTokens.list": undefined,
  "hosts.joinTokens.revoke": { id: "nothing" },
  "overview.get": undefined,
  "overview.history": undefined,
  "containers.list": HOST,
  "containers.inspect": CONTAINER,
  "containers.top": CONTAINER,
  "containers.stats": CONTAINER,
  "containers.action": { ...CONTAINER, action: "stop" },
  "containers.remove": { ...CONTAINER, force: false, volumes: false },
  "containers.rename": { ...CONTAINER, name: "c2" },
  "containers.run": { ...HOST, spec: { image: "busybox" } },
  "containers.parseRun": { line: "docker run x" },
  "containers.onLogs": CONTAINER,
  "containers.onStats": CONTAINER,
  "images.list": HOST,
  "images.inspect": CONTAINER,
  "images.history": CONTAINER,
  "images.layers": CONTAINER,
  "images.remove": CONTAINER,
  "images.tag": { ...CONTAINER, name: "web:2" },
  "images.onPull": { ...HOST, reference: "web:1" },
  "images.onPush": { ...HOST, reference: "web:1" },
  "volumes.list": HOST,
  "volumes.inspect": { ...HOST, name: "v1" },
  "volumes.create": { ...HOST, name: "v1" },
  "volumes.remove": { ...HOST, name: "v1" },
  "networks.list": HOST,
  "networks.mesh": undefined,
  "networks.ports": HOST,
  "networks.reach": { ...CONTAINER, to: { kind: "container", ...CONTAINER } },
  "networks.get": { network: "n1" },
  "networks.inspect": { ...HOST, network: "n1" },
  "networks.create": { ...HOST, name: "n1" },
  "networks.remove": { ...HOST, network: "n1" },
  "networks.connect": { ...HOST, network: "n1", container: "c1" },
  "networks.disconnect": { ...HOST, network: "n1", container: "c1" },
  "stacks.list": undefined,
  "stacks.get": STACK,
  "stacks.revision": { ...STACK, revision: 1 },
  "stacks.plan": PROJECT,
  "stacks.check": PROJECT,
  "stacks.composeKeys": undefined,
  "stacks.deploy": PROJECT,
  "stacks.outside": HOST,
  "stacks.adoptionPlan": { ...HOST, project: "shop" },
  "stacks.adopt": { ...HOST, project: "shop" },
  "stacks.variables": STACK,
  "stacks.setVariables": { ...STACK, variables: { A: "1" } },
  "stacks.rollback": STACK,
  "stacks.remove": STACK,
  "stacks.rebalancePlan": STACK,
  "stacks.rebalance": STACK,
  "stacks.onLogs": STACK,
  "stacks.replicaHistory": { ...STACK, replica: "none" },
  "services.onStats": { ...STACK, service: "web" },
  "services.control": { ...STACK, act: "pause" },
  "deployments.list": {},
  "deployments.get": { id: "none" },
  "deployments.onSteps": { id: "none" },
  "secrets.list": undefined,
  "secrets.set": { name: "key", base64: "eA==" },
  "secrets.remove": { name: "none" },
  "configs.list": undefined,
  "configs.set": { name: "conf", base64: "eA==" },
  "configs.remove": { name: "none" },
  "registry.repositories.list": undefined,
  "registry.repositories.get": REPOSITORY,
  "registry.repositories.create": { repository: "team/made" },
  "registry.repositories.update": { ...REPOSITORY, isPublic: false },
  "registry.repositories.delete": REPOSITORY,
  "registry.tags.list": REPOSITORY,
  "registry.tags.delete": { ...REPOSITORY, tag: "v1" },
  "registry.manifests.get": { ...REPOSITORY, reference: "v1" },
  "registry.manifests.delete": { ...REPOSITORY, digest: `sha256:${"0".repeat(64)}` },
  "registry.retention.preview": REPOSITORY,
  "registry.retention.run": REPOSITORY,
  "registry.cleanup.preview": undefined,
  "registry.cleanup.status": undefined,
  "registry.cleanup.start": undefined,
  "registry.usage.get": undefined,
  "registry.usage.setQuota": { limitBytes: null },
  "registry.upstreams.list": undefined,
  "registry.upstreams.create": { name: "x", url: "https://registry.example.test" },
  "registry.upstreams.test": { name: "none" },
  "registry.upstreams.remove": { name: "none" },
  "activity.list": {},
  "activity.verify": {},
  "terminal.open": { ...CONTAINER, rows: 24, cols: 80 },
  "terminal.reattach": { sessionId: "nothing" },
  "live.onEvents": undefined,
};

/** What would end the others' tests if it were done by somebody who may. Whoever may not is told so about the real one. */
const HARMLESS: Readonly<Record<string, unknown>> = { "hosts.remove": { host: "none" } };

const procedures = listProcedures();
const called = procedures.filter(({ kind }) => kind !== "subscription");
const isGuarded = ({ action }: (typeof procedures)[number]): boolean => action !== undefined && ruleOf(action).needs !== "everyone";
const guarded = called.filter(isGuarded);
const aboutHost = guarded.filter(({ path }) => JSON.stringify(INPUTS[path] ?? null).includes("web-1"));
const aboutRepository = guarded.filter(({ path }) => JSON.stringify(INPUTS[path] ?? null).includes("team/"));

/** A person of each kind in the team of the host. `some` has a role of the team's own with two rights, `none` one without any. */
const PEOPLE = ["owner", "maintainer", "deployer", "viewer", "some", "none"] as const;
type Kind = (typeof PEOPLE)[number];
const SOME: readonly Right[] = ["container.read", "network.read"];

function rightsOf(kind: Kind): ReadonlySet<Right> {
  if (kind === "some") return new Set(SOME);
  return kind === "none" ? new Set() : rightsOfRole(kind);
}

function isAllowed(kind: Kind, action: Action): boolean {
  const rights = rightsOf(kind);
  return ruleOf(action).needs !== "instanceAdmin" && rightsNeeded(action).every((right) => rights.has(right));
}

const DIGEST = `sha256:${"0".repeat(64)}`;
/** Every method of every route of a repository, with what it does there. */
const REGISTRY_CALLS = [
  ["GET", "/tags/list", "pull"],
  ["HEAD", "/tags/list", "pull"],
  ["GET", "/manifests/v1", "pull"],
  ["HEAD", "/manifests/v1", "pull"],
  ["PUT", "/manifests/v1", "push"],
  ["DELETE", `/manifests/${DIGEST}`, "delete"],
  ["GET", `/referrers/${DIGEST}`, "pull"],
  ["HEAD", `/referrers/${DIGEST}`, "pull"],
  ["GET", `/blobs/${DIGEST}`, "pull"],
  ["HEAD", `/blobs/${DIGEST}`, "pull"],
  ["DELETE", `/blobs/${DIGEST}`, "delete"],
  ["POST", "/blobs/uploads/", "push"],
  ["GET", "/blobs/uploads/none", "push"],
  ["HEAD", "/blobs/uploads/none", "push"],
  ["PATCH", "/blobs/uploads/none", "push"],
  ["PUT", `/blobs/uploads/none?digest=${DIGEST}`, "push"],
  ["DELETE", "/blobs/uploads/none", "push"],
] as const;

const routeOf = (path: string): ReturnType<typeof parseRegistryRoute> => parseRegistryRoute(`/v2/team/app${path.split("?")[0]}`);

describe("every door as everybody", () => {
  let control: TestControl;
  let agent: LinkedAgent;
  let stranger: string;
  let strangerToken: string;
  const tokens = new Map<Kind, string>();

  beforeAll(async () => {
    control = await startTestControl({ withAdmin: true });
    agent = await startLinkedAgent(control, { name: "web-1" });
    for (const kind of PEOPLE) tokens.set(kind, await makePerson(kind));
    stranger = await makeStranger(control);
    strangerToken = await makeToken({ cookie: stranger });
  });
  afterAll(async () => {
    await agent.close();
    await control.close();
  });

  const mutate = (path: string, input: unknown, as: { cookie?: string; token?: string } = { token: ADMIN_TOKEN }): Promise<unknown> =>
    control.call(path, input, { kind: "mutation", ...as });

  async function makeToken(as: { cookie: string }): Promise<string> {
    return ((await mutate("tokens.create", { name: "matrix", expiresInDays: 1 }, as)) as { token: string }).token;
  }

  async function makePerson(kind: Kind): Promise<string> {
    const isBuiltIn = kind !== "some" && kind !== "none";
    const made = isBuiltIn ? { id: kind } : await mutate("roles.create", { name: kind, rights: kind === "some" ? SOME : [] });
    const email = `${kind}@example.test`;
    await mutate("members.create", { name: kind, email, password: "a long password", role: (made as { id: string }).id });
    return makeToken({ cookie: await control.signIn(email, "a long password") });
  }

  const attempt = async (
    path: string,
    as: { cookie?: string; token?: string | undefined; input?: unknown },
  ): Promise<CallError | undefined> => {
    const kind = procedures.find((found) => found.path === path)?.kind === "mutation" ? "mutation" : "query";
    const { input = INPUTS[path], ...who } = as;
    return control.call(path, input, { kind, ...who }).then(
      () => undefined,
      (error: CallError) => error,
    );
  };

  test("every procedure has an input in this file", () => {
    expect(Object.keys(INPUTS).sort()).toEqual(procedures.map(({ path }) => path).sort());
  });

  test("every right decides about something", () => {
    const needed = new Set(Object.keys(ACTIONS).flatMap((action) => rightsNeeded(action as Action)));
    expect(RIGHTS.filter((right) => !needed.has(right) && !RESERVED.includes(right))).toEqual([]);
  });

  test.each(guarded)("$path: somebody who is not signed in", async ({ path }) => {
    expect(await attempt(path, {})).toMatchObject({ code: "UNAUTHORIZED" });
  });

  test.each(guarded)("$path: garbage from somebody who is not signed in is not even parsed", async ({ path, kind }) => {
    const refused = control.call(path, { __proto__: { a: 1 }, host: ["x"] }, { kind: kind === "mutation" ? "mutation" : "query" });
    await expect(refused).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  test.each(aboutHost)("attack 1: $path: an owner of another team sees no such host", async ({ path }) => {
    expect(await attempt(path, { cookie: stranger })).toMatchObject({ code: "NOT_FOUND", message: "no such host: web-1" });
  });

  test.each(aboutRepository)("attack 1: $path: an owner of another team sees no such repository", async ({ path }) => {
    expect(await attempt(path, { cookie: stranger })).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringMatching(/^no such repository: team\//),
    });
  });

  test.each(guarded)("$path: each role may exactly what the table of actions says", async ({ path, action = "me.read" }) => {
    for (const kind of PEOPLE) {
      const allowed = isAllowed(kind, action);
      const input = allowed ? HARMLESS[path] : undefined;
      const error = await attempt(path, { token: tokens.get(kind), ...(input === undefined ? {} : { input }) });
      if (allowed) expect(["FORBIDDEN", "UNAUTHORIZED"], `${kind}: ${error?.message}`).not.toContain(error?.code ?? "");
      else expect(error, kind).toMatchObject({ code: "FORBIDDEN" });
    }
  });

  test.each(procedures.filter((found) => found.kind === "subscription" && isGuarded(found)))(
    "$path: each role may follow exactly what the table of actions says",
    async ({ path, action = "me.read" }) => {
      for (const kind of PEOPLE) {
        const isRefused = await isSubscriptionRefused(control, { path, token: tokens.get(kind) ?? "" });
        expect(isRefused, kind).toBe(!isAllowed(kind, action));
      }
    },
  );

  test.each(listDockerRoutes())("docker: $method $path", async ({ method, path, action }) => {
    const ask = async (token: string): Promise<number> => {
      const response = await fetch(`${control.url}/docker/web-1${path}`, { method, headers: { authorization: `Bearer ${token}` } });
      await response.body?.cancel();
      return response.status;
    };
    for (const kind of PEOPLE) {
      const status = await ask(tokens.get(kind) ?? "");
      if (isAllowed(kind, action)) expect([401, 403], kind).not.toContain(status);
      else expect(status, kind).toBe(403);
    }
    expect([await ask(strangerToken), await ask("flt_nobody")]).toEqual([404, 401]);
  });

  test.each([
    ["POST", "/api/upload/image?host=web-1", "image.change"],
    ["POST", "/api/upload/build?host=web-1&t=x", "image.build"],
    ["GET", "/api/download/log?host=web-1&id=c1", "container.logs"],
  ] as const)("%s %s", async (method, path, action) => {
    for (const kind of PEOPLE) {
      const headers = { authorization: `Bearer ${tokens.get(kind)}`, "x-flotilla-request": "1" };
      const response = await fetch(control.url + path, { method, headers });
      await response.body?.cancel();
      if (isAllowed(kind, action)) expect([401, 403], kind).not.toContain(response.status);
      else expect(response.status, kind).toBe(403);
    }
  });

  test("registry: a token has the operations that the role allows, and of foreign repositories none", async () => {
    const scopes = ["repository:team/app:pull,push,delete", "repository:other/app:pull,push,delete"];
    const operations = ["pull", "push", "delete"] as const;
    for (const kind of PEOPLE) {
      const actor = await findActorByToken(control.services, tokens.get(kind) ?? "", null);
      const { access } = await issueRegistryToken(control.services, actor ?? { kind: "anonymous", address: null }, scopes);
      const own = operations.filter((operation) => isAllowed(kind, `registry.${operation}`));
      expect(access, kind).toEqual([
        { type: "repository", name: "team/app", actions: own },
        { type: "repository", name: "other/app", actions: [] },
      ]);
    }
  });

  test.each(REGISTRY_CALLS)("registry: %s %s needs the right to %s", async (method, path, operation) => {
    const ask = async (token: string | undefined): Promise<number> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(`${control.url}/v2/team/app${path}`, { method, headers });
      await response.body?.cancel();
      return response.status;
    };
    for (const kind of PEOPLE) {
      const status = await ask(tokens.get(kind));
      if (isAllowed(kind, `registry.${operation}`)) expect([401, 403], kind).not.toContain(status);
      else expect([401, 403], kind).toContain(status);
    }
    for (const nobody of [strangerToken, "flt_nobody", undefined]) expect([401, 403]).toContain(await ask(nobody));
  });

  test("every operation of the registry is among those calls", () => {
    const covered = new Set(REGISTRY_CALLS.map(([method, path]) => `${method} ${routeOf(path)?.kind}`));
    const kinds = REGISTRY_CALLS.map(([, path]) => routeOf(path));
    const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    const all = kinds.flatMap((route) =>
      methods
        .filter((method) => route !== undefined && operationOf(route, method) !== undefined)
        .map((method) => `${method} ${route?.kind}`),
    );
    expect([...new Set(all)].sort()).toEqual([...covered].sort());
    for (const [method, path, operation] of REGISTRY_CALLS) {
      const route = routeOf(path);
      expect(route === undefined ? undefined : operationOf(route, method), `${method} ${path}`).toBe(operation);
    }
  });

  test("/metrics: hosts and containers for who may see both, of one's own team", async () => {
    const ask = async (token: string): Promise<[status: number, text: string]> => {
      const response = await fetch(`${control.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      return [response.status, await response.text()];
    };
    for (const kind of PEOPLE) {
      const [status, text] = await ask(tokens.get(kind) ?? "");
      expect(status, kind).toBe(isAllowed(kind, "metrics.read") ? 200 : 403);
      expect(text.includes('host="web-1"'), kind).toBe(status === 200);
      expect(text, kind).not.toContain("process_resident_memory_bytes");
    }
    const [status, text] = await ask(strangerToken);
    expect([status, text.includes("web-1")]).toEqual([200, false]);
    expect(await ask("flt_nobody")).toEqual([401, expect.stringContaining("token")]);
  });

  test("a batch of own and foreign calls answers each by itself", async () => {
    const input = encodeURIComponent(JSON.stringify({ 0: undefined, 1: { host: "web-1" } }));
    const response = await fetch(`${control.url}/api/trpc/me.get,hosts.get?batch=1&input=${input}`, { headers: { cookie: stranger } });
    const answers = (await response.json()) as { result?: unknown; error?: { data: { code: string } } }[];
    expect(answers[0]?.result).toBeDefined();
    expect(answers[1]?.error?.data.code).toBe("NOT_FOUND");
  });
});

/** Asks in this process: the guard of a subscription is that of every procedure, and its stream is left at once. */
async function isSubscriptionRefused(control: TestControl, { path, token }: { path: string; token: string }): Promise<boolean> {
  const actor = await findActorByToken(control.services, token, null);
  if (actor === undefined) throw new Error("the token is not good");
  const never = (): never => {
    throw new Error("not asked for here");
  };
  const live = new LiveFeed({ links: control.services.links, logger: silentLogger, findHost: async () => undefined });
  const terminals = { open: never, reattach: never };
  const left = new AbortController();
  try {
    const caller = appRouter.createCaller({ services: control.services, actor, live, terminals }, { signal: left.signal });
    const [noun = "", verb = ""] = path.split(".");
    const procedure = (caller as unknown as Record<string, Record<string, (input: unknown) => Promise<unknown>>>)[noun]?.[verb];
    await procedure?.(INPUTS[path]);
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code === "FORBIDDEN";
    throw error;
  } finally {
    left.abort();
    live.close();
  }
}

/** An owner of another team, on the same control plane. */
async function makeStranger(control: TestControl): Promise<string> {
  const { prisma } = control.services;
  await control.call(
    "members.create",
    { name: "S", email: "s@example.test", password: "s's long password", role: "owner" },
    { kind: "mutation", token: ADMIN_TOKEN },
  );
  const team = await prisma.team.create({ data: { name: "Other", slug: "other", namespace: "other" } });
  await prisma.membership.updateMany({ where: { user: { email: "s@example.test" } }, data: { teamId: team.id } });
  return control.signIn("s@example.test", "s's long password");
}
