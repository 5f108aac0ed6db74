import { EXEMPT_HEADER, SAFE_GUARD } from "@flotilla/protocol";
import { notifyHostState } from "@flotilla/services";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGuards, type GuardStore } from "../../agent/src/guard/guard-store.ts";
import { Database } from "../../agent/src/store/database.ts";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, type LinkedState, makeState, startLinkedAgent, until } from "../support/linked-agent.ts";

// Guard rails from the page to the host, over a real Postgres, a real link and the agent's own store.
let control: TestControl;
let agent: LinkedAgent;
let state: LinkedState;
let guards: GuardStore;
let member: string;
let memberToken: string;
let db: Database;

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  db = new Database(":memory:");
  state = makeState(db);
  guards = openGuards(db, state.desired);
  state.desired.start();
  agent = await startLinkedAgent(control, { name: "web-1", state });
  const person = { name: "M", email: "m@example.test", password: "m's long password", role: "maintainer" };
  await control.call("members.create", person, { kind: "mutation", token: ADMIN_TOKEN });
  member = await control.signIn(person.email, person.password);
  memberToken = (
    (await control.call("tokens.create", { name: "t", expiresInDays: 1 }, { kind: "mutation", cookie: member })) as { token: string }
  ).token;
});
afterAll(async () => {
  await agent?.close();
  await state?.desired.close();
  db?.close();
  await control?.close();
});

const admin = { kind: "mutation", token: ADMIN_TOKEN } as const;
const HOST = { host: "web-1" };

test("what is set on the page is on the host, and what is taken away is not", async () => {
  const guard = { limits: { containers: 5, hostPorts: [[8000, 8100]] }, allow: { hostNetwork: true, binds: ["/srv/shop"] } };
  await control.call("guards.set", { ...HOST, ...guard }, admin);
  await until(() => guards.of("default").allow.hostNetwork);
  expect(guards.of("default")).toMatchObject(guard);
  expect(guards.of("default").allow.privileged).toBe(false);
  await control.call("guards.set", { limits: {}, allow: { hostPid: true } }, admin);
  expect(await control.call("guards.getDefault", undefined, { token: ADMIN_TOKEN })).toMatchObject({
    isSet: true,
    guard: { allow: { hostPid: true } },
  });
  await control.call("guards.reset", HOST, admin);
  await until(() => guards.of("default").allow.hostPid);
  expect(guards.of("default").allow.hostNetwork).toBe(false);
  await control.call("guards.reset", {}, admin);
  expect(await control.call("guards.getDefault", undefined, { token: ADMIN_TOKEN })).toEqual({ isSet: false, guard: SAFE_GUARD });
  await until(() => !guards.of("default").allow.hostPid);
  expect(guards.of("default")).toEqual(SAFE_GUARD);
});

test("the limits of a grant reach the host for the team that has it, with what its own guard rail says", async () => {
  const { prisma } = control.services;
  const team = await prisma.team.create({ data: { name: "Guests", slug: "guests", namespace: "guests" } });
  const limits = { maxContainers: 2, maxCpus: 0.5, hostPorts: [[9000, 9001]] };
  await prisma.$transaction(async (tx) => {
    await tx.hostGrant.create({ data: { hostId: agent.hostId, teamId: team.id, rights: ["container.run"], createdBy: "test", ...limits } });
    await notifyHostState(tx, { hostId: agent.hostId });
  });
  await until(() => guards.of("guests").limits.containers === 2);
  expect(guards.of("guests")).toEqual({ limits: { containers: 2, cpus: 0.5, hostPorts: [[9000, 9001]] }, allow: SAFE_GUARD.allow });
  await control.call("guards.set", { ...HOST, team: team.id, limits: { containers: 9, memoryBytes: 2 ** 30 }, allow: {} }, admin);
  await until(() => guards.of("guests").limits.memoryBytes === 2 ** 30);
  expect(guards.of("guests").limits.containers).toBe(2);
  const all = (await control.call("guards.get", HOST, { token: ADMIN_TOKEN })) as { teams: { team: { name: string } }[] };
  expect(all.teams.map((each) => each.team.name)).toContain("Guests");
  const own = (await control.call("guards.get", HOST, { cookie: member })) as typeof all & { instanceDefault: unknown };
  expect(own.teams).toHaveLength(1);
  expect(own.instanceDefault).toBeNull();
});

test("only who looks after the instance changes them, for teams that are there, and it is audited", async () => {
  const set = { ...HOST, limits: {}, allow: { privileged: true } };
  await expect(control.call("guards.set", set, { kind: "mutation", cookie: member })).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(control.call("guards.set", { ...set, team: "nobody" }, admin)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(control.call("guards.set", { ...set, allow: { binds: ["../x"] } }, admin)).rejects.toMatchObject({ code: "BAD_REQUEST" });
  await control.call("guards.set", { ...set, allow: { hostIpc: true } }, admin);
  const row = await control.services.prisma.auditRow.findFirst({
    where: { action: "guard.change", outcome: "ok" },
    orderBy: { id: "desc" },
  });
  expect(JSON.stringify(row?.detail)).toContain("hostIpc");
  expect(await control.services.prisma.auditRow.count({ where: { action: "guard.change", outcome: "refused" } })).toBe(1);
});

test("attack 7: the host hears from the control plane alone whom guard rails do not bind", async () => {
  const exempt = async (token: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, [EXEMPT_HEADER]: "1", connection: "close" };
    const answer = await fetch(`${control.url}/docker/web-1/v1.47/containers/json`, { headers });
    return ((await answer.json()) as { headers: Record<string, string> }).headers[EXEMPT_HEADER];
  };
  expect(await exempt(ADMIN_TOKEN)).toBe("1");
  expect(await exempt(memberToken)).toBe("0");
});
