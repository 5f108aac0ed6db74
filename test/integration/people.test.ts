import { getOverview, type Overview, type UserActor } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";

type Activity = { items: { action: string; outcome: string; object: { name: string }; actor: { name: string } }[] };

const claim = { name: ADMIN.name, email: ADMIN.email, password: ADMIN.password, teamName: ADMIN.teamName };
const tokenOf = (setupUrl: string | undefined): string => /#token=(.+)$/.exec(setupUrl ?? "")?.[1] ?? "";

describe("set-up", () => {
  let control: TestControl;
  beforeAll(async () => void (control = await startTestControl()));
  afterAll(() => control.close());

  test("a new control plane needs set-up and prints a link whose token is in the fragment", async () => {
    expect(await control.call("setup.status")).toEqual({ needsSetup: true });
    expect(control.setupUrl).toMatch(new RegExp(`^${control.url}/setup#token=[\\w-]{43}$`));
  });

  test("a guessed token makes nobody", async () => {
    const guess = control.call("setup.complete", { ...claim, token: "x".repeat(43) }, { kind: "mutation" });
    await expect(guess).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(await control.services.prisma.user.count()).toBe(0);
  });

  test("a restart makes the old link useless and prints a new one", async () => {
    const old = tokenOf(control.setupUrl);
    await control.restart();
    expect(tokenOf(control.setupUrl)).not.toBe(old);
    await expect(control.call("setup.complete", { ...claim, token: old }, { kind: "mutation" })).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
  });

  test("of twenty claims at once exactly one wins, and the token is gone", async () => {
    const token = tokenOf(control.setupUrl);
    const claims = Array.from({ length: 20 }, (_, index) =>
      control.call("setup.complete", { ...claim, token, email: `ada${index}@example.test` }, { kind: "mutation" }),
    );
    const results = await Promise.allSettled(claims);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    expect(await control.services.prisma.user.count()).toBe(1);
    expect(await control.services.prisma.setupToken.count()).toBe(0);
    expect(await control.call("setup.status")).toEqual({ needsSetup: false });
    await expect(control.call("setup.complete", { ...claim, token }, { kind: "mutation" })).rejects.toThrow();
  });
});

describe("people, sessions and tokens", () => {
  let control: TestControl;
  let cookie: string;
  beforeAll(async () => {
    control = await startTestControl({ withAdmin: true });
    cookie = await control.signIn(ADMIN.email, ADMIN.password);
  });
  afterAll(() => control.close());

  const mutate = (path: string, input: unknown, as: { cookie?: string; token?: string }): Promise<unknown> =>
    control.call(path, input, { kind: "mutation", ...as });
  const activity = async (): Promise<Activity["items"]> =>
    ((await control.call("activity.list", { limit: 200 }, { token: ADMIN_TOKEN })) as Activity).items;

  test("the environment's administrator can sign in and has the token", async () => {
    expect(await control.call("me.get", undefined, { cookie })).toMatchObject({
      user: { email: ADMIN.email, isInstanceAdmin: true, role: { id: "owner", isBuiltIn: true } },
    });
    expect(await control.call("me.get", undefined, { token: ADMIN_TOKEN })).toMatchObject({ user: { email: ADMIN.email } });
    expect(control.setupUrl).toBeUndefined();
  });

  test("cookies are out of reach of scripts and of other sites", async () => {
    const response = await fetch(`${control.url}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: control.url },
      body: JSON.stringify({ email: ADMIN.email, password: ADMIN.password }),
    });
    const [session = ""] = response.headers.getSetCookie();
    expect(session).toMatch(/HttpOnly/i);
    expect(session).toMatch(/SameSite=(Lax|Strict)/i);
  });

  test("wrong passwords are refused alike for known and unknown people, and audited", async () => {
    const wrong = control.signIn(ADMIN.email, "wrong password");
    const unknown = control.signIn("nobody@example.test", "wrong password");
    const messages = (await Promise.allSettled([wrong, unknown])).map((result) =>
      String(result.status === "rejected" ? result.reason : "signed in"),
    );
    expect(messages[0]).toBe(messages[1]);
    expect(messages[0]).toContain("401");
    const refused = (await activity()).filter((row) => row.action === "session.signIn" && row.outcome === "refused");
    expect(refused.map((row) => row.object.name).sort()).toEqual([ADMIN.email, "nobody@example.test"]);
  });

  test("an account is closed to guesses of one address after ten", async () => {
    await mutate(
      "members.create",
      { name: "Bob", email: "bob@example.test", password: "bob's long password", role: "deployer" },
      { cookie },
    );
    const statuses: unknown[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await control.signIn("bob@example.test", "wrong password").catch((error: { status: number }) => statuses.push(error.status));
    }
    expect(statuses.slice(-1)).toEqual([429]);
  });

  test.each([
    ["POST", "/api/auth/sign-up/email"],
    ["POST", "/api/auth/update-user"],
    ["POST", "/api/auth/delete-user"],
    ["POST", "/api/auth/request-password-reset"],
    ["GET", "/api/auth/ok"],
  ])("%s %s is not served", async (method, path) => {
    const response = await fetch(control.url + path, {
      method,
      headers: { origin: control.url, "content-type": "application/json" },
      ...(method === "POST" ? { body: "{}" } : {}),
    });
    expect(response.status).toBe(404);
  });

  test.each(["http://evil.test", "null", "http://sub.127.0.0.1:1"])(
    "a page of %s cannot change anything with a visitor's cookie",
    async (origin) => {
      const attempt = control.call("me.update", { name: "Mallory" }, { kind: "mutation", cookie, headers: { origin } });
      await expect(attempt).rejects.toMatchObject({ status: 403 });
      const signIn = await fetch(`${control.url}/api/auth/sign-in/email`, {
        method: "POST",
        headers: { "content-type": "application/json", origin },
        body: JSON.stringify({ email: ADMIN.email, password: ADMIN.password }),
      });
      expect(signIn.status).toBe(403);
    },
  );

  test("a token is shown once, kept as a digest, and useless at once when revoked", async () => {
    const made = (await mutate("tokens.create", { name: "ci", expiresInDays: 1 }, { cookie })) as { id: string; token: string };
    expect(made.token).toMatch(/^flt_/);
    expect(await control.call("me.get", undefined, { token: made.token })).toBeTruthy();
    const rows =
      JSON.stringify(await control.services.prisma.apiToken.findMany()) + JSON.stringify(await control.services.prisma.auditRow.findMany());
    expect(rows).not.toContain(made.token.slice(4));
    expect(JSON.stringify(await control.call("tokens.list", undefined, { cookie }))).not.toContain(made.token);
    await mutate("tokens.revoke", { id: made.id }, { cookie });
    await expect(control.call("me.get", undefined, { token: made.token })).rejects.toMatchObject({ status: 401 });
  });

  test("an expired token is nobody", async () => {
    const made = (await mutate("tokens.create", { name: "old", expiresInDays: 1 }, { cookie })) as { id: string; token: string };
    await control.services.prisma.apiToken.update({ where: { id: made.id }, data: { expiresAt: new Date(Date.now() - 1000) } });
    await expect(control.call("me.get", undefined, { token: made.token })).rejects.toMatchObject({ status: 401 });
  });

  test("a bad token is nobody even beside a good cookie", async () => {
    const attempt = control.call("me.get", undefined, { cookie, headers: { authorization: "Bearer flt_wrong" } });
    await expect(attempt).rejects.toMatchObject({ status: 401 });
  });

  test("members cannot make members, and their sessions end with them", async () => {
    const made = (await mutate(
      "members.create",
      { name: "Eve", email: "eve@example.test", password: "eve's long password", role: "deployer" },
      { cookie },
    )) as { id: string };
    const eve = await control.signIn("eve@example.test", "eve's long password");
    const attempt = mutate(
      "members.create",
      { name: "X", email: "x@example.test", password: "x's long password", role: "owner" },
      { cookie: eve },
    );
    await expect(attempt).rejects.toMatchObject({ code: "FORBIDDEN" });
    await mutate("members.remove", { id: made.id }, { cookie });
    await expect(control.call("me.get", undefined, { cookie: eve })).rejects.toMatchObject({ status: 401 });
    expect((await activity()).map((row) => `${row.action} ${row.outcome}`)).toEqual(
      expect.arrayContaining(["member.create refused", "member.remove ok"]),
    );
  });

  test("nobody removes themselves, so the last administrator stays", async () => {
    const { user } = (await control.call("me.get", undefined, { cookie })) as { user: { id: string } };
    await expect(mutate("members.remove", { id: user.id }, { cookie })).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("what is already in the audit can be neither changed nor deleted", async () => {
    const { prisma } = control.services;
    await expect(prisma.auditRow.deleteMany()).rejects.toThrow(/only ever added/);
    await expect(prisma.auditRow.updateMany({ data: { actorName: "x" } })).rejects.toThrow(/only ever added/);
    await expect(prisma.$executeRawUnsafe("TRUNCATE audit_rows")).rejects.toThrow(/only ever added/);
  });

  test("control characters cannot forge lines of the audit", async () => {
    await control.signIn("a\nroot ok\u001b[2J@example.test", "wrong password").catch(() => undefined);
    const names = (await activity()).map((row) => row.object.name).join("");
    // oxlint-disable-next-line no-control-regex
    expect(names).not.toMatch(/[\u0000-\u001f]/);
  });

  test("what cannot be audited is not done", async () => {
    const { prisma } = control.services;
    await prisma.$executeRawUnsafe("ALTER TABLE audit_rows ADD CONSTRAINT broken CHECK (false) NOT VALID");
    try {
      await expect(mutate("tokens.create", { name: "unseen", expiresInDays: null }, { cookie })).rejects.toThrow();
      expect(await prisma.apiToken.count({ where: { name: "unseen" } })).toBe(0);
    } finally {
      await prisma.$executeRawUnsafe("ALTER TABLE audit_rows DROP CONSTRAINT broken");
    }
  });

  test("the overview tells of a token that ends soon to whom it belongs, and reads nothing that the caller may not see", async () => {
    await mutate("tokens.create", { name: "short", expiresInDays: 2 }, { cookie });
    const seen = (await control.call("overview.get", undefined, { cookie })) as Overview;
    expect(seen.attention).toMatchObject([{ code: "tokenExpires", token: "short", severity: "info" }]);
    expect(seen).toMatchObject({ stacks: 0, activity: expect.arrayContaining([expect.objectContaining({ action: "token.create" })]) });
    const { user, team } = await control.services.prisma.membership.findFirstOrThrow({ include: { user: true, team: true } });
    const onlooker: UserActor = {
      ...{ kind: "user", userId: "somebody else", name: user.name, email: user.email, credential: { kind: "session", id: "none" } },
      ...{
        team,
        role: null,
        rights: new Set(["host.read"]),
        grants: new Map(),
        isInstanceAdmin: false,
        lacksTwoFactor: false,
        address: null,
      },
    };
    expect(await getOverview(control.services, onlooker)).toMatchObject({ stacks: null, attention: [], activity: [] });
  });

  test("sessions and hosts outlive a restart of the control plane", async () => {
    await control.restart();
    expect(await control.call("me.get", undefined, { cookie })).toMatchObject({ user: { email: ADMIN.email } });
  });

  test("no answer may be framed, sniffed or cached by others", async () => {
    const response = await fetch(`${control.url}/api/trpc/setup.status`);
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    await response.text();
  });
});
