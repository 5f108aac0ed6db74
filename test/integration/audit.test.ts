import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pruneAudit, verifyAudit } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, startLinkedAgent } from "../support/linked-agent.ts";

type Verification = { isWhole: boolean; fault: { seq: string; rowId: string; reason: string } | null; head: { seq: string; hash: string } };
type Row = { action: string; outcome: string; changes: unknown[]; detail: Record<string, unknown>; time: string };
type Line = { seq: number; previous: string; hash: string; record: { action: string; object: string; outcome: string } };

const AUTH = { authorization: `Bearer ${ADMIN_TOKEN}` };
const as = { token: ADMIN_TOKEN };

describe("the audit's chain", () => {
  let control: TestControl;
  let agent: LinkedAgent;
  let member: string;
  beforeAll(async () => {
    control = await startTestControl({ withAdmin: true });
    agent = await startLinkedAgent(control, { name: "web-1" });
    const account = { name: "M", email: "m@example.test", password: "m's long password", role: "viewer" };
    await control.call("members.create", account, { kind: "mutation", ...as });
    member = await control.signIn(account.email, account.password);
  });
  afterAll(async () => {
    await agent.close();
    await control.close();
  });

  const verify = async (head?: string): Promise<Verification> =>
    (await control.call("activity.verify", head === undefined ? {} : { head }, as)) as Verification;
  const rows = async (filter: Record<string, unknown> = {}): Promise<Row[]> =>
    ((await control.call("activity.list", { limit: 200, ...filter }, as)) as { items: Row[] }).items;
  const rename = (host: string, name: string): Promise<unknown> =>
    control.call("hosts.rename", { host, name }, { kind: "mutation", ...as });
  const exported = async (query = ""): Promise<string[]> => {
    const response = await fetch(`${control.url}/api/v1/audit/export${query}`, { headers: AUTH });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("application/jsonl");
    return (await response.text()).split("\n").filter((line) => line !== "");
  };
  /** Does something to the tables as somebody would who owns the database, and takes it back. */
  const tampered = async (statement: string, undo: string): Promise<Verification> => {
    const { prisma } = control.services;
    const role = (sql: string): Promise<unknown> =>
      prisma.$transaction([prisma.$executeRawUnsafe("SET LOCAL session_replication_role = replica"), prisma.$executeRawUnsafe(sql)]);
    await role(statement);
    try {
      return await verify();
    } finally {
      await role(undo);
    }
  };

  test("a change of a name is written with what it was before", async () => {
    await rename("web-1", "web-2");
    await rename("web-2", "web-1");
    const [back, there] = await rows({ action: "host.rename" });
    expect(there).toMatchObject({ outcome: "ok", changes: [{ field: "name", from: "web-1", to: "web-2" }] });
    expect(back).toMatchObject({ changes: [{ field: "name", from: "web-2", to: "web-1" }] });
  });

  test("many writers at once make one chain, with transactions of a fixed snapshot among them", async () => {
    const secret = (name: string): Promise<unknown> => control.call("secrets.set", { name, base64: "eA==" }, { kind: "mutation", ...as });
    const stacks = (name: string): Promise<unknown> =>
      control.call(
        "stacks.deploy",
        { name, files: { "compose.yaml": "services: { web: { image: busybox } }" } },
        { kind: "mutation", ...as },
      );
    await Promise.all(Array.from({ length: 12 }, (_, index) => (index % 4 === 0 ? stacks(`s${index}`) : secret(`k${index}`))));
    const found = await verify();
    expect(found).toMatchObject({ isWhole: true, fault: null });
    const { prisma } = control.services;
    expect(await prisma.auditSeal.count()).toBe(Number(found.head.seq));
    expect(await prisma.auditRow.count({ where: { action: "stack.deploy" } })).toBe(3);
  });

  test("a row that gets its outcome later is sealed twice and stays whole", async () => {
    const inspected = control.call("containers.action", { host: "web-1", id: "c1", action: "stop" }, { kind: "mutation", ...as });
    await inspected;
    const { prisma } = control.services;
    const row = await prisma.auditRow.findFirstOrThrow({ where: { action: "container.change" } });
    expect(await prisma.auditSeal.count({ where: { rowId: row.id } })).toBe(2);
    expect(await verify()).toMatchObject({ isWhole: true });
  });

  test.each([
    [
      "a changed row",
      "UPDATE audit_rows SET actor_name = 'x' WHERE id = $row",
      "UPDATE audit_rows SET actor_name = $actor WHERE id = $row",
      "changed",
    ],
    ["a removed seal", "UPDATE audit_seals SET seq = -seq WHERE seq = 3", "UPDATE audit_seals SET seq = 3 WHERE seq = -3", "gap"],
    [
      "a changed seal",
      "UPDATE audit_seals SET content = content || ' ' WHERE seq = 3",
      "UPDATE audit_seals SET content = rtrim(content) WHERE seq = 3",
      "hash",
    ],
    [
      "a seal of another past",
      "UPDATE audit_seals SET previous = reverse(previous) WHERE seq = 3",
      "UPDATE audit_seals SET previous = reverse(previous) WHERE seq = 3",
      "chain",
    ],
    ["a removed row", "UPDATE audit_rows SET id = 'away' WHERE id = $row", "UPDATE audit_rows SET id = $row WHERE id = 'away'", "missing"],
  ])("attack 22: %s is found and named", async (_, statement, undo, reason) => {
    const { prisma } = control.services;
    const seal = await prisma.auditSeal.findFirstOrThrow({ where: { seq: 3n } });
    const row = await prisma.auditRow.findUniqueOrThrow({ where: { id: seal.rowId } });
    const fill = (sql: string): string => sql.replaceAll("$row", `'${row.id}'`).replaceAll("$actor", `'${row.actorName}'`);
    const found = await tampered(fill(statement), fill(undo));
    const seq = reason === "gap" ? "4" : "3";
    expect(found).toMatchObject({ isWhole: false, fault: { seq, reason } });
    expect(await verify()).toMatchObject({ isWhole: true });
  });

  test("attack 22: a row that was put in around the trigger has no seal", async () => {
    const found = await tampered(
      "INSERT INTO audit_rows SELECT 'forged', team_id, time, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, outcome, address, detail FROM audit_rows LIMIT 1",
      "DELETE FROM audit_rows WHERE id = 'forged'",
    );
    expect(found.fault).toEqual({ seq: "", rowId: "forged", reason: "unsealed" });
  });

  test("attack 22: seals can be neither changed nor deleted, and a cut-off end is found by a head that was noted", async () => {
    const { prisma } = control.services;
    await expect(prisma.auditSeal.deleteMany()).rejects.toThrow(/only ever added/);
    await expect(prisma.$executeRawUnsafe("TRUNCATE audit_seals")).rejects.toThrow(/only ever added/);
    const { head } = await verify();
    await rename("web-1", "web-1");
    expect(await verify(`${head.seq}:${head.hash}`)).toMatchObject({ isWhole: true });
    expect(await verify(`${head.seq}:${head.hash.split("").reverse().join("")}`)).toMatchObject({ fault: { reason: "head" } });
    await expect(control.call("activity.verify", { head: "1" }, as)).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });

  test("rows are found by who, what, whose, outcome and time", async () => {
    await expect(control.call("hosts.rename", { host: "web-1", name: "mine" }, { kind: "mutation", cookie: member })).rejects.toMatchObject(
      { code: "FORBIDDEN" },
    );
    expect(await rows({ actor: "m@example", outcome: "refused" })).toMatchObject([{ action: "host.rename" }]);
    expect((await rows({ action: "secret" })).every((row) => row.action === "secret.change")).toBe(true);
    expect(await rows({ objectKind: "host", object: "web-2", action: "host.rename" })).toHaveLength(1);
    const [newest] = await rows();
    expect(await rows({ from: new Date(Date.parse(newest?.time ?? "") + 3_600_000).toISOString() })).toEqual([]);
    expect(await rows({ to: "2020-01-01T00:00:00Z" })).toEqual([]);
    await expect(rows({ action: "%'; --" })).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });

  test("the export is JSON lines whose hashes anybody can follow, and is itself audited", async () => {
    const lines = await exported();
    let previous = "0".repeat(64);
    for (const line of lines) {
      const parsed = JSON.parse(line) as Line;
      const record = /"record":(.*)\}$/s.exec(line)?.[1] ?? "";
      expect(parsed.previous).toBe(previous);
      expect(createHash("sha256").update(`${previous}\n${record}`).digest("hex")).toBe(parsed.hash);
      previous = parsed.hash;
    }
    expect((JSON.parse(lines.at(-1) ?? "{}") as Line).record.action).toBe("activity.export");
    const filtered = (await exported("?action=host.rename&outcome=ok")).map((line) => JSON.parse(line) as Line);
    expect(new Set(filtered.map((line) => line.record.action))).toEqual(new Set(["host.rename"]));
  });

  test("flotilla audit exports the chain, and checks a file of it by itself", async () => {
    const file = join(control.dir, "audit.jsonl");
    const { stdout } = await flotilla(control, ["audit", "export"]);
    writeFileSync(file, stdout.replace("host.rename", "host.remove"));
    expect(stdout.split("\n").length).toBeGreaterThan(10);
    expect(await flotilla(control, ["audit", "verify", "--file", file])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("line "),
    });
  });

  test("the export is for administrators, and a wrong filter is refused before anything is sent", async () => {
    const status = async (query: string, headers: Record<string, string>): Promise<number> =>
      (await fetch(`${control.url}/api/v1/audit/export${query}`, { headers })).status;
    expect(await status("", {})).toBe(401);
    expect(await status("", { cookie: member, origin: control.url })).toBe(403);
    expect(await status("?from=yesterday", AUTH)).toBe(400);
    expect(await status("?nothing=1", AUTH)).toBe(400);
    expect(await status("", { ...AUTH, cookie: "a=b", origin: "https://elsewhere.test" })).toBe(403);
  });

  test("attack 22: line ends in a name make one line", async () => {
    await control.signIn('a\n{"seq":1}@example.test', "wrong password").catch(() => undefined);
    for (const line of await exported()) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  test("attack 22: what must be audited is not done when the audit cannot be written", async () => {
    const { prisma } = control.services;
    await prisma.$executeRawUnsafe("ALTER TABLE audit_rows ADD CONSTRAINT broken CHECK (false) NOT VALID");
    try {
      const attempts: [string, unknown][] = [
        ["terminal.open", { host: "web-1", id: "c1", rows: 24, cols: 80 }],
        ["secrets.set", { name: "unseen", base64: "eA==" }],
        ["secrets.remove", { name: "k1" }],
        ["members.create", { name: "U", email: "u@example.test", password: "u's long password", role: "owner" }],
        ["tokens.create", { name: "unseen", expiresInDays: 1 }],
        ["hosts.joinTokens.create", { expiresInMinutes: 1, uses: 1 }],
        ["hosts.place", { host: "web-1", availability: "drain" }],
        ["containers.remove", { host: "web-1", id: "c1", force: true, volumes: false }],
      ];
      for (const [path, input] of attempts) await expect(control.call(path, input, { kind: "mutation", ...as })).rejects.toThrow();
      const exec = await fetch(`${control.url}/docker/web-1/containers/c1/exec`, { method: "POST", headers: AUTH, body: "{}" });
      expect(exec.status).toBe(500);
    } finally {
      await prisma.$executeRawUnsafe("ALTER TABLE audit_rows DROP CONSTRAINT broken");
    }
    expect(await prisma.stackFile.count({ where: { name: { in: ["unseen", "k1"] } } })).toBe(1);
    expect(await prisma.user.count({ where: { email: "u@example.test" } })).toBe(0);
    expect(await prisma.apiToken.count({ where: { name: "unseen" } })).toBe(0);
    expect(await prisma.host.count({ where: { availability: "drain" } })).toBe(0);
  });

  test("attack 22: a clock that was set back changes nothing of the order", async () => {
    const { services } = control;
    const before = await verifyAudit(services);
    const { prisma } = services;
    const first = await prisma.auditRow.findFirstOrThrow({ orderBy: { id: "asc" } });
    await prisma.auditRow.create({ data: { ...first, id: "0-from-the-past", time: new Date("2020-01-01"), detail: {} } });
    const after = await verifyAudit(services);
    expect(after).toMatchObject({ isWhole: true, head: { seq: String(Number(before.head.seq) + 1) } });
    expect(await prisma.auditSeal.findFirst({ orderBy: { seq: "desc" } })).toMatchObject({ rowId: "0-from-the-past" });
  });

  test("retention removes the beginning of the chain, says so, and leaves the rest whole", async () => {
    const { services } = control;
    const { prisma } = services;
    expect(await pruneAudit(services, 1)).toBe(0);
    const count = await prisma.auditRow.count();
    const inTwoDays = { ...services, nowMs: () => Date.now() + 2 * 86_400_000 };
    expect(await pruneAudit(inTwoDays, 1)).toBe(count);
    expect((await rows()).map((row) => row.action)).toEqual(["instance.pruneAudit"]);
    await rename("web-1", "web-3");
    expect(await verify()).toMatchObject({ isWhole: true, prunedTo: { seq: expect.stringMatching(/^\d+$/) } });
  });
});

/** Runs the command itself against a control plane. */
function flotilla(control: TestControl, args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const main = join(import.meta.dirname, "..", "..", "apps", "cli", "src", "main.ts");
  const env = { PATH: process.env["PATH"] ?? "", HOME: control.dir, FLOTILLA_URL: control.url, FLOTILLA_TOKEN: ADMIN_TOKEN };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout });
    });
  });
}
