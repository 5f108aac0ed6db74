import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { echoEngine, type EngineHandler, type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";
import { totpCode } from "../support/totp.ts";

const PASSWORD = "a long password";
const CANARY = "canary-8841";
const INSPECT = {
  Id: "c1",
  Name: "/web",
  Config: { Env: [`TOKEN=${CANARY}`], Labels: { secret: CANARY }, Cmd: [CANARY] },
  State: {},
  HostConfig: {},
  NetworkSettings: {},
};
/** Whether a followed log is open, by namespace. */
const open = new Map<string, number>();

const engine: EngineHandler = (stream, headers) => {
  const path = (headers[":path"] ?? "").split("?")[0] ?? "";
  const namespace = String(headers["x-flotilla-namespace"]);
  stream.on("error", () => undefined);
  if (path.endsWith("/logs")) {
    open.set(namespace, (open.get(namespace) ?? 0) + 1);
    stream.on("close", () => open.set(namespace, (open.get(namespace) ?? 1) - 1));
    stream.respond({ ":status": 200, "content-type": "application/vnd.docker.raw-stream" });
    return;
  }
  if (!/\/containers\/(c1\/)?json$/.test(path)) return echoEngine(stream, headers);
  const list = [{ Id: "c1", Names: ["/web"], Command: `run ${CANARY}`, Labels: { secret: CANARY, "com.docker.compose.service": "web" } }];
  stream.respond({ ":status": 200, "content-type": "application/json" });
  stream.end(JSON.stringify(path.endsWith("/c1/json") ? INSPECT : list));
};

let control: TestControl;
let agent: LinkedAgent;
let admin: string;
/** An owner of the team `guests`, and their token. */
let guest: string;
let guestToken: string;
let guests: string;

type As = { cookie?: string; token?: string };
const mutate = (path: string, input: unknown, as: As = { token: ADMIN_TOKEN }): Promise<unknown> =>
  control.call(path, input, { kind: "mutation", ...as });
const query = (path: string, input?: unknown, as: As = { token: ADMIN_TOKEN }): Promise<unknown> => control.call(path, input, as);
const docker = (path: string, token: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${control.url}/docker${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });

async function makeMember(email: string, role: string): Promise<{ id: string; cookie: string; token: string }> {
  const { id } = (await mutate("members.create", { name: email, email, password: PASSWORD, role })) as { id: string };
  const cookie = await control.signIn(email, PASSWORD);
  return { id, cookie, token: await makeToken({ cookie }) };
}

async function makeToken(as: As): Promise<string> {
  return ((await mutate("tokens.create", { name: "t", expiresInDays: 1 }, as)) as { token: string }).token;
}

async function invite(email: string, as: As = { token: ADMIN_TOKEN }, role = "owner"): Promise<string> {
  const { url } = (await mutate("invitations.create", { email, role }, as)) as { url: string };
  return new URL(url).hash.replace("#token=", "");
}

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  agent = await startLinkedAgent(control, { name: "web-1", engine });
  admin = await control.signIn(ADMIN.email, ADMIN.password);
  ({ id: guests } = (await mutate("teams.create", { name: "Guests", slug: "guests" })) as { id: string });
  await mutate("me.switchTeam", { id: guests }, { cookie: admin });
  const token = await invite("guest@example.test", { cookie: admin });
  await mutate("invitations.accept", { token, name: "Guest", password: PASSWORD }, {});
  const [first] = ((await query("me.get")) as { teams: { id: string; slug: string }[] }).teams.filter(({ slug }) => slug === "team");
  await mutate("me.switchTeam", { id: first?.id ?? "" }, { cookie: admin });
  guest = await control.signIn("guest@example.test", PASSWORD);
  guestToken = await makeToken({ cookie: guest });
});
afterAll(async () => {
  await agent.close();
  await control.close();
});

describe("several teams", () => {
  test("a person acts for one team at a time, and each session for its own", async () => {
    const other = await control.signIn(ADMIN.email, ADMIN.password);
    await mutate("me.switchTeam", { id: guests }, { cookie: other });
    expect(await query("me.get", undefined, { cookie: other })).toMatchObject({ team: { slug: "guests" }, user: { role: null } });
    expect(await query("me.get", undefined, { cookie: admin })).toMatchObject({ team: { slug: "team" }, user: { role: { id: "owner" } } });
    expect(await query("hosts.list", undefined, { cookie: other })).toEqual([]);
  });

  test("nobody switches to a team that is not theirs, and a token is of its team", async () => {
    const { teams, team } = (await query("me.get", undefined, { cookie: guest })) as { teams: { slug: string }[]; team: { slug: string } };
    expect([team.slug, teams.map(({ slug }) => slug)]).toEqual(["guests", ["guests"]]);
    const first = await control.services.prisma.team.findUniqueOrThrow({ where: { slug: "team" } });
    await expect(mutate("me.switchTeam", { id: first.id }, { cookie: guest })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(mutate("me.switchTeam", { id: guests }, { token: guestToken })).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("a team is removed when nothing is left of it; its slug is free, its namespace is not given again (attack 25)", async () => {
    const make = async (): Promise<string> => ((await mutate("teams.create", { name: "Short", slug: "short" })) as { id: string }).id;
    const id = await make();
    await expect(mutate("teams.create", { name: "Short", slug: "short" })).rejects.toMatchObject({ code: "CONFLICT" });
    await mutate("hosts.grants.set", { host: "web-1", team: "short", rights: ["container.read"], limits: {} });
    await control.services.prisma.stackFile.create({ data: { teamId: id, kind: "secret", name: "left" } });
    await expect(mutate("teams.remove", { id })).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining("1 secrets") });
    await control.services.prisma.stackFile.deleteMany({ where: { teamId: id } });
    await mutate("teams.remove", { id });
    const again = await control.services.prisma.team.findUniqueOrThrow({ where: { id: await make() } });
    const before = await control.services.prisma.team.findUniqueOrThrow({ where: { id } });
    expect(again.namespace).not.toBe(before.namespace);
    expect(await control.services.prisma.hostGrant.count({ where: { teamId: { in: [id, again.id] } } })).toBe(0);
    await mutate("teams.remove", { id: again.id });
  });

  test("a team that demands a second factor gives no rights to who has none", async () => {
    await mutate("teams.update", { id: guests, requiresTwoFactor: true });
    await expect(query("hosts.list", undefined, { cookie: guest })).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(await query("me.get", undefined, { cookie: guest })).toMatchObject({ lacksTwoFactor: true, rights: [] });
    await mutate("teams.update", { id: guests, requiresTwoFactor: false });
    expect(await query("hosts.list", undefined, { cookie: guest })).toEqual([]);
  });
});

describe("a host that is shared", () => {
  const share = (rights: string[], limits: unknown = {}): Promise<unknown> =>
    mutate("hosts.grants.set", { host: "web-1", team: "guests", rights, limits });
  const unshare = async (): Promise<void> => {
    const rows = (await query("hosts.grants.list", { host: "web-1" })) as { id: string; team: { slug: string } }[];
    for (const { id, team } of rows) if (team.slug === "guests") await mutate("hosts.grants.remove", { host: "web-1", id });
  };

  test("is not there before, and afterwards what the grant and the role allow, in a namespace of its own", async () => {
    expect((await docker("/web-1/containers/json", guestToken)).status).toBe(404);
    await share(["host.read", "container.read", "container.logs"], { containers: 5, hostPorts: [[8000, 8100]] });
    const { namespace } = await control.services.prisma.team.findUniqueOrThrow({ where: { id: guests } });
    const echoed = (await (await docker("/web-1/version", guestToken)).json()) as { headers: Record<string, string> };
    expect(echoed.headers["x-flotilla-namespace"]).toBe(namespace);
    expect(namespace).not.toBe("default");
    expect((await docker("/web-1/containers/c1/exec", guestToken, { method: "POST" })).status).toBe(403);
    const hosts = (await query("hosts.list", undefined, { cookie: guest })) as unknown[];
    expect(hosts).toMatchObject([{ name: "web-1", isShared: true, address: null }]);
    expect(await query("hosts.get", { host: "web-1" }, { cookie: guest })).toMatchObject({ desiredState: null });
  });

  test("what is about the host itself stays with its own team", async () => {
    for (const [path, input] of [
      ["hosts.rename", { host: "web-1", name: "mine" }],
      ["hosts.remove", { host: "web-1" }],
      ["hosts.grants.set", { host: "web-1", team: "team", rights: ["container.read"], limits: {} }],
    ] as const) {
      await expect(mutate(path, input, { cookie: guest })).rejects.toMatchObject({ code: "FORBIDDEN" });
    }
    await expect(share(["host.manage"])).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(
      mutate("hosts.grants.set", { host: "web-1", team: "nowhere", rights: ["container.read"], limits: {} }),
    ).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  test("limits are kept as they were given", async () => {
    expect(await query("hosts.grants.list", { host: "web-1" })).toMatchObject([
      { team: { slug: "guests" }, limits: { containers: 5, hostPorts: [[8000, 8100]] }, createdBy: ADMIN.email },
    ]);
    await share(["container.read", "container.logs", "host.read"], { memoryBytes: 2 ** 30 });
    expect(await query("hosts.grants.list", { host: "web-1" })).toMatchObject([{ limits: { memoryBytes: 2 ** 30 } }]);
  });

  test("environments are blacked out where the grant does not show them", async () => {
    const shown = await (await docker("/web-1/containers/c1/json", guestToken)).text();
    const listed = await (await docker("/web-1/v1.47/containers/json", guestToken)).text();
    const page = JSON.stringify(await query("containers.inspect", { host: "web-1", id: "c1" }, { cookie: guest }));
    for (const text of [shown, listed, page]) expect(text).not.toContain(CANARY);
    expect(JSON.parse(shown)).toMatchObject({ Id: "c1", Config: { Env: ["TOKEN=<hidden>"] } });
    expect(await (await docker("/web-1/containers/c1/json", ADMIN_TOKEN)).text()).toContain(CANARY);
  });

  test("what is open there ends within five seconds of the grant (attack 5)", async () => {
    const { namespace } = await control.services.prisma.team.findUniqueOrThrow({ where: { id: guests } });
    const followed = await docker("/web-1/containers/c1/logs?follow=1&stdout=1", guestToken);
    const ended = followed.text().then(
      () => "ended",
      () => "ended",
    );
    await until(() => open.get(namespace) === 1);
    await unshare();
    expect(await ended).toBe("ended");
    await until(() => open.get(namespace) === 0);
    expect((await docker("/web-1/containers/json", guestToken)).status).toBe(404);
  });

  test("a host that was made again under the same name is not shared (attack 25)", async () => {
    const short = await startLinkedAgent(control, { name: "short-lived" });
    await mutate("hosts.grants.set", { host: "short-lived", team: "guests", rights: ["container.read", "host.read"], limits: {} });
    expect(await query("hosts.list", undefined, { cookie: guest })).toMatchObject([{ name: "short-lived" }]);
    await mutate("hosts.remove", { host: "short-lived" });
    await short.close();
    const again = await startLinkedAgent(control, { name: "short-lived" });
    expect(await query("hosts.list", undefined, { cookie: guest })).toEqual([]);
    await mutate("hosts.remove", { host: "short-lived" });
    await again.close();
  });
});

describe("people of a team", () => {
  test("nobody gives or takes more than they have", async () => {
    const { id: role } = (await mutate("roles.create", {
      name: "Doorkeeper",
      rights: ["team.manage", "member.read", "container.read"],
    })) as {
      id: string;
    };
    const keeper = await makeMember("keeper@example.test", role);
    const as = { cookie: keeper.cookie };
    const refused = { code: "FORBIDDEN" };
    await expect(mutate("members.setRole", { id: keeper.id, role: "owner" }, as)).rejects.toMatchObject(refused);
    await expect(mutate("invitations.create", { email: "x@example.test", role: "owner" }, as)).rejects.toMatchObject(refused);
    await expect(mutate("roles.create", { name: "More", rights: ["host.manage"] }, as)).rejects.toMatchObject(refused);
    await expect(
      mutate("roles.update", { id: role, name: "Doorkeeper", rights: ["team.manage", "container.terminal"] }, as),
    ).rejects.toMatchObject(refused);
    const members = (await query("members.list", undefined, as)) as { id: string; email: string }[];
    const owner = members.find(({ email }) => email === ADMIN.email)?.id ?? "";
    await expect(mutate("members.remove", { id: owner }, as)).rejects.toMatchObject(refused);
    await mutate("roles.create", { name: "Looker", rights: ["container.read"] }, as);
    await expect(mutate("roles.remove", { id: role })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(mutate("roles.create", { name: "Viewer", rights: [] })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(mutate("members.setRole", { id: owner, role: "viewer" })).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("who asks for a list at the same time as others is told what they themselves may see, by each door", async () => {
    const viewer = await makeMember("glance@example.test", "viewer");
    const { id: nobody } = (await mutate("roles.create", { name: "Nothing", rights: ["host.read"] })) as { id: string };
    const blind = await makeMember("blind@example.test", nobody);
    const doors = (token: string): Promise<string>[] =>
      ["/api/trpc/containers.list?input={}", `/api/trpc/containers.list,me.get?batch=1&input={"0":{}}`, "/api/v1/containers"].map(
        async (path) => {
          const answer = await fetch(control.url + path, { headers: { authorization: `Bearer ${token}` } });
          return `${answer.status} ${await answer.text()}`;
        },
      );
    const rounds = Array.from({ length: 8 }, () => [doors(ADMIN_TOKEN), doors(viewer.token), doors(blind.token)] as const);
    for (const [all, some, none] of rounds) {
      for (const text of await Promise.all(all)) expect([text.startsWith("200 "), text.includes(CANARY)]).toEqual([true, true]);
      for (const text of await Promise.all(some))
        expect([text.startsWith("200 "), text.includes("/web"), text.includes(CANARY)]).toEqual([true, true, false]);
      const [alone = "", batch = "", rest = ""] = await Promise.all(none);
      expect([alone.slice(0, 3), batch.slice(0, 3), rest.slice(0, 3)]).toEqual(["403", "207", "403"]);
      expect(batch).toContain("blind@example.test");
      expect([alone, batch, rest].some((text) => text.includes("/web"))).toBe(false);
    }
    const [, ours] = JSON.parse((await Promise.all(doors(viewer.token)))[1]?.slice(4) ?? "") as { result: { data: unknown } }[];
    expect(ours?.result.data).toEqual(await query("me.get", undefined, { token: viewer.token }));
    expect(await query("containers.list", {}, { token: viewer.token })).toEqual(
      (await control.call("containers.list", { host: "web-1" }, { token: viewer.token })) as object,
    );
  });

  test("a role that changes binds at once, and ends what it no longer allows (attack 5)", async () => {
    const { id: role } = (await mutate("roles.create", { name: "Logs", rights: ["host.read", "container.read", "container.logs"] })) as {
      id: string;
    };
    const { token, id } = await makeMember("logs@example.test", role);
    const followed = await docker("/web-1/containers/c1/logs?follow=1&stdout=1", token);
    const ended = followed.text().then(
      () => "ended",
      () => "ended",
    );
    await until(() => (open.get("default") ?? 0) > 0);
    await mutate("roles.update", { id: role, name: "Logs", rights: ["host.read", "container.read"] });
    expect((await docker("/web-1/containers/c1/logs", token)).status).toBe(403);
    expect(await ended).toBe("ended");
    const access = (await query("members.access", { person: id })) as {
      rights: { right: string; isAllowed: boolean; reasons: unknown[] }[];
    };
    expect(access.rights.filter(({ isAllowed }) => isAllowed).map(({ right }) => right)).toEqual(["container.read", "host.read"]);
    expect(access.rights.find(({ right }) => right === "container.logs")?.reasons).toMatchObject([
      { kind: "notInRole", role: { name: "Logs" } },
    ]);
  });

  test("an invitation is good once, for its address, for a while, and its link is shown to nobody again", async () => {
    const token = await invite("new@example.test", undefined, "viewer");
    const listed = JSON.stringify([await query("invitations.list"), await query("activity.list", { limit: 50 })]);
    expect(listed).toContain("new@example.test");
    expect(listed).not.toContain(token);
    expect(await mutate("invitations.look", { token }, {})).toEqual({ email: "new@example.test", team: "Team", hasAccount: false });
    await expect(mutate("invitations.accept", { token }, {})).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await mutate("invitations.accept", { token, name: "New", password: PASSWORD }, {});
    await expect(mutate("invitations.accept", { token, name: "New", password: PASSWORD }, {})).rejects.toMatchObject({ code: "FORBIDDEN" });
    const cookie = await control.signIn("new@example.test", PASSWORD);
    expect(await query("me.get", undefined, { cookie })).toMatchObject({ user: { role: { id: "viewer" } } });

    const late = await invite("late@example.test");
    await control.services.prisma.invitation.updateMany({ where: { email: "late@example.test" }, data: { expiresAt: new Date(0) } });
    await expect(mutate("invitations.look", { token: late }, {})).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  test("somebody with an account accepts by being signed in with that very address, and is then in both teams", async () => {
    const token = await invite("guest@example.test", undefined, "viewer");
    expect(await mutate("invitations.look", { token }, {})).toMatchObject({ hasAccount: true });
    await expect(mutate("invitations.accept", { token, name: "G", password: PASSWORD }, {})).rejects.toMatchObject({
      code: "UNAUTHORIZED",
    });
    await expect(mutate("invitations.accept", { token }, { cookie: admin })).rejects.toMatchObject({ code: "FORBIDDEN" });
    await mutate("invitations.accept", { token }, { cookie: guest });
    expect(await query("me.get", undefined, { cookie: guest })).toMatchObject({
      team: { slug: "guests" },
      teams: [{ slug: "guests" }, { slug: "team" }],
    });
    const members = (await query("members.list")) as { id: string; email: string }[];
    const id = members.find(({ email }) => email === "guest@example.test")?.id ?? "";
    await mutate("members.remove", { id });
    // The account stays: it is in another team.
    expect(await query("me.get", undefined, { cookie: guest })).toMatchObject({ teams: [{ slug: "guests" }] });
  });

  test("the instance keeps an administrator", async () => {
    const { items } = (await query("people.list", { search: ADMIN.email })) as { items: { id: string }[] };
    const id = items[0]?.id ?? "";
    await expect(mutate("people.setInstanceAdmin", { id, isInstanceAdmin: false })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(mutate("people.remove", { id })).rejects.toMatchObject({ code: "CONFLICT" });
  });
});

describe("sign-in", () => {
  const auth = (path: string, body: unknown, cookie = ""): Promise<Response> =>
    fetch(`${control.url}/api/auth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: control.url, ...(cookie === "" ? {} : { cookie }) },
      body: JSON.stringify(body),
    });
  const signInHalf = async (email: string): Promise<string> => cookieOf(await auth("sign-in/email", { email, password: PASSWORD }));
  const cookieOf = (response: Response): string =>
    response.headers
      .getSetCookie()
      .map((line) => line.split(";")[0] ?? "")
      .filter((pair) => !pair.endsWith("="))
      .join("; ");

  test("with a second factor a password is half of a sign-in, at the registry none", async () => {
    const { cookie, id } = await makeMember("totp@example.test", "deployer");
    expect((await auth("two-factor/enable", { password: "wrong password" }, cookie)).status).toBe(400);
    const enrolment = (await (await auth("two-factor/enable", { password: PASSWORD }, cookie)).json()) as {
      totpURI: string;
      backupCodes: string[];
    };
    expect(enrolment.totpURI).toMatch(/^otpauth:\/\/totp\/Flotilla:totp(@|%40)example\.test\?/);
    const enrolled = await auth("two-factor/verify-totp", { code: totpCode(enrolment.totpURI) }, cookie);
    expect(enrolled.status).toBe(200);

    const half = await auth("sign-in/email", { email: "totp@example.test", password: PASSWORD });
    expect(await half.json()).toMatchObject({ twoFactorRedirect: true });
    await expect(query("me.get", undefined, { cookie: cookieOf(half) })).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect((await auth("two-factor/verify-totp", { code: "000000" }, cookieOf(half))).status).toBe(401);
    // The code of the enrolment is used up: the next one is taken, which a clock that is ahead shows already, and once.
    expect((await auth("two-factor/verify-totp", { code: totpCode(enrolment.totpURI) }, cookieOf(half))).status).toBe(401);
    const next = totpCode(enrolment.totpURI, Date.now() + 30_000);
    const sessions = (): Promise<number> => control.services.prisma.session.count({ where: { userId: id } });
    const halves = [cookieOf(half), await signInHalf("totp@example.test")];
    const before = await sessions();
    const tried = await Promise.all(halves.map((one) => auth("two-factor/verify-totp", { code: next, trustDevice: true }, one)));
    expect(tried.map(({ status }) => status).sort()).toEqual([200, 401]);
    expect(await sessions()).toBe(before + 1);
    const whole = tried.find(({ status }) => status === 200) ?? half;
    const late = await auth("two-factor/verify-totp", { code: next }, await signInHalf("totp@example.test"));
    expect(late.status).toBe(401);
    expect(cookieOf(whole)).not.toContain("trust");
    expect(await query("me.get", undefined, { cookie: cookieOf(whole) })).toMatchObject({ user: { email: "totp@example.test" } });

    const basic = Buffer.from(`totp@example.test:${PASSWORD}`).toString("base64");
    expect((await fetch(`${control.url}/v2/token`, { headers: { authorization: `Basic ${basic}` } })).status).toBe(401);

    const [code = ""] = enrolment.backupCodes;
    const byBackup = async (): Promise<number> => {
      const begun = await auth("sign-in/email", { email: "totp@example.test", password: PASSWORD });
      return (await auth("two-factor/verify-backup-code", { code }, cookieOf(begun))).status;
    };
    expect([await byBackup(), await byBackup()]).toEqual([200, 401]);

    const audit = JSON.stringify(await query("activity.list", { limit: 100, search: "totp@example.test" }));
    expect(audit).toContain("session.twoFactor");
    for (const secret of [code, new URL(enrolment.totpURI).searchParams.get("secret") ?? "?"]) expect(audit).not.toContain(secret);
    const stored = await control.services.prisma.twoFactor.findUniqueOrThrow({ where: { userId: id } });
    expect(stored.secret + stored.backupCodes).not.toContain(code);

    await mutate("people.resetTwoFactor", { id });
    await control.signIn("totp@example.test", PASSWORD);
  });

  test("who guesses from one address does not lock the owner out at another (attack 23)", async () => {
    await makeMember("victim@example.test", "viewer");
    const body = JSON.stringify({ email: "victim@example.test", password: "wrong password" });
    const from = (localAddress: string, text: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { "content-type": "application/json", origin: control.url };
        const req = httpRequest(`${control.url}/api/auth/sign-in/email`, { method: "POST", localAddress, headers }, (res) => {
          res.resume();
          res.on("end", () => resolve(res.statusCode ?? 0));
        });
        req.on("error", reject);
        req.end(text);
      });
    const statuses = await Promise.all(Array.from({ length: 12 }, () => from("127.0.0.9", body)));
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    const right = JSON.stringify({ email: "victim@example.test", password: PASSWORD });
    expect(await from("127.0.0.9", right)).toBe(429);
    expect(await from("127.0.0.1", right)).toBe(200);
  });

  test("sessions are listed without their secrets, and each can be ended", async () => {
    const { cookie } = await makeMember("two@example.test", "viewer");
    const other = await control.signIn("two@example.test", PASSWORD);
    const rows = (await query("sessions.list", undefined, { cookie })) as { id: string; isCurrent: boolean }[];
    expect(rows.map(({ isCurrent }) => isCurrent)).toEqual([false, true]);
    const secrets = await control.services.prisma.session.findMany({ where: { id: { in: rows.map(({ id }) => id) } } });
    for (const { token } of secrets) expect(JSON.stringify(rows)).not.toContain(token);
    await mutate("sessions.revoke", { id: rows[0]?.id ?? "" }, { cookie });
    await expect(query("me.get", undefined, { cookie: other })).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(mutate("sessions.revoke", { id: rows[1]?.id ?? "" }, { cookie: admin })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
