import { listProcedures } from "@flotilla/api";
import { rightsNeeded, rightsOfRole, ruleOf } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, type CallError, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, startLinkedAgent } from "../support/linked-agent.ts";

// Every procedure, tried as everybody. A new procedure must get an input here: the test fails until it has one.
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
  "members.list": undefined,
  "members.create": { name: "x", email: "new@example.test", password: "long enough x", role: "deployer" },
  "members.remove": { id: "nobody" },
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
  "hosts.joinTokens.create": { expiresInMinutes: 1, uses: 1 },
  "hosts.joinTokens.list": undefined,
  "hosts.joinTokens.revoke": { id: "nothing" },
  "overview.get": undefined,
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
  "stacks.variables": STACK,
  "stacks.setVariables": { ...STACK, variables: { A: "1" } },
  "stacks.rollback": STACK,
  "stacks.remove": STACK,
  "stacks.rebalancePlan": STACK,
  "stacks.rebalance": STACK,
  "stacks.onLogs": STACK,
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

const procedures = listProcedures().filter(({ kind }) => kind !== "subscription");
const guarded = procedures.filter(({ action }) => action !== undefined && ruleOf(action).needs !== "everyone");
const aboutHost = guarded.filter(({ path }) => JSON.stringify(INPUTS[path] ?? null).includes("web-1"));
const aboutRepository = guarded.filter(({ path }) => JSON.stringify(INPUTS[path] ?? null).includes("team/"));

describe("every procedure as everybody", () => {
  let control: TestControl;
  let agent: LinkedAgent;
  let member: string;
  let stranger: string;

  beforeAll(async () => {
    control = await startTestControl({ withAdmin: true });
    agent = await startLinkedAgent(control, { name: "web-1" });
    await control.call(
      "members.create",
      { name: "M", email: "m@example.test", password: "m's long password", role: "deployer" },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    member = await control.signIn("m@example.test", "m's long password");
    stranger = await makeStranger(control);
  });
  afterAll(async () => {
    await agent.close();
    await control.close();
  });

  const attempt = async (path: string, as: { cookie?: string }): Promise<CallError | undefined> => {
    const kind = procedures.find((found) => found.path === path)?.kind === "mutation" ? "mutation" : "query";
    return control.call(path, INPUTS[path], { kind, ...as }).then(
      () => undefined,
      (error: CallError) => error,
    );
  };

  test("every procedure has an input in this file", () => {
    expect(Object.keys(INPUTS).sort()).toEqual(
      listProcedures()
        .map(({ path }) => path)
        .sort(),
    );
  });

  test.each(guarded)("$path: somebody who is not signed in", async ({ path }) => {
    expect(await attempt(path, {})).toMatchObject({ code: "UNAUTHORIZED" });
  });

  test.each(guarded)("$path: garbage from somebody who is not signed in is not even parsed", async ({ path, kind }) => {
    const refused = control.call(path, { __proto__: { a: 1 }, host: ["x"] }, { kind: kind === "mutation" ? "mutation" : "query" });
    await expect(refused).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  test.each(aboutHost)("$path: an administrator of another team sees no such host", async ({ path }) => {
    expect(await attempt(path, { cookie: stranger })).toMatchObject({ code: "NOT_FOUND", message: "no such host: web-1" });
  });

  test.each(aboutRepository)("$path: an administrator of another team sees no such repository", async ({ path }) => {
    expect(await attempt(path, { cookie: stranger })).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringMatching(/^no such repository: team\//),
    });
  });

  test.each(guarded)("$path: a member may exactly what the table of actions says", async ({ path, action }) => {
    const error = await attempt(path, { cookie: member });
    const needed = action === undefined ? [] : rightsNeeded(action);
    const isRefused =
      ruleOf(action ?? "me.read").needs === "instanceAdmin" || !needed.every((right) => rightsOfRole("deployer").has(right));
    if (isRefused) expect(error).toMatchObject({ code: "FORBIDDEN" });
    else expect(["FORBIDDEN", "UNAUTHORIZED"]).not.toContain(error?.code ?? "");
  });

  test("a batch of own and foreign calls answers each by itself", async () => {
    const input = encodeURIComponent(JSON.stringify({ 0: undefined, 1: { host: "web-1" } }));
    const response = await fetch(`${control.url}/api/trpc/me.get,hosts.get?batch=1&input=${input}`, { headers: { cookie: stranger } });
    const answers = (await response.json()) as { result?: unknown; error?: { data: { code: string } } }[];
    expect(answers[0]?.result).toBeDefined();
    expect(answers[1]?.error?.data.code).toBe("NOT_FOUND");
  });
});

/** An administrator of another team, on the same control plane. */
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
