import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { deliverDue } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { dockerEngine, makeContainers } from "../support/docker-engine.ts";
import { type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";

type Made = { id: string; token: string };
type Token = { id: string; name: string; rights: string[] | null; hosts: string[] | null; lastUsedAddress: string | null };
type Account = { id: string; name: string; role: { id: string }; tokens: Token[] };

describe("programs", () => {
  let control: TestControl;
  const agents: LinkedAgent[] = [];
  beforeAll(async () => {
    control = await startTestControl({ withAdmin: true });
    for (const name of ["web-1", "web-2"]) agents.push(await startLinkedAgent(control, { name, engine: dockerEngine(makeContainers(2)) }));
  });
  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await control.close();
  });

  const mutate = (path: string, input: unknown, token = ADMIN_TOKEN): Promise<unknown> =>
    control.call(path, input, { kind: "mutation", token });
  const query = (path: string, input?: unknown, token = ADMIN_TOKEN): Promise<unknown> => control.call(path, input, { token });
  const get = (path: string, token: string, method = "GET"): Promise<Response> =>
    fetch(`${control.url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
  const statusOf = async (path: string, token: string, method = "GET"): Promise<number> => (await get(path, token, method)).status;
  const makeToken = async (scope: { rights?: string[]; hosts?: string[] }, token?: string): Promise<Made> =>
    (await mutate("tokens.create", { name: "scoped", expiresInDays: 1, ...scope }, token)) as Made;

  describe("a token of some rights and hosts", () => {
    let made: Made;
    beforeAll(async () => void (made = await makeToken({ rights: ["container.read", "host.read"], hosts: ["web-1"] })));

    test("sees its host in every door, and no other one", async () => {
      const { token } = made;
      expect(await statusOf("/docker/web-1/v1.47/containers/json", token)).toBe(200);
      expect(await statusOf("/docker/web-2/v1.47/containers/json", token)).toBe(404);
      expect(await query("hosts.list", undefined, token)).toMatchObject([{ name: "web-1" }]);
      await expect(query("hosts.get", { host: "web-2" }, token)).rejects.toMatchObject({
        code: "NOT_FOUND",
        message: "no such host: web-2",
      });
      const { items } = (await query("containers.list", {}, token)) as { items: { host: { name: string } }[] };
      expect(new Set(items.map((item) => item.host.name))).toEqual(new Set(["web-1"]));
      expect(await statusOf("/api/v1/hosts/web-2", token)).toBe(404);
    });

    test("attack 25: a host that is made anew under the name of one that is gone is not the token's", async () => {
      const { prisma } = control.services;
      const { teamId } = await prisma.host.findFirstOrThrow({ where: { name: "web-1" } });
      const make = (key: string) => prisma.host.create({ data: { teamId, name: "gone", publicKey: key } });
      const { id } = await make("first key");
      const { token } = await makeToken({ hosts: ["gone"] });
      expect(await query("hosts.list", undefined, token)).toMatchObject([{ name: "gone" }]);
      await prisma.host.delete({ where: { id } });
      const again = await make("second key");
      control.services.cache.clear();
      expect(await query("hosts.list", undefined, token)).toEqual([]);
      await expect(query("hosts.get", { host: "gone" }, token)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await statusOf("/docker/gone/v1.47/containers/json", token)).toBe(404);
      await prisma.host.delete({ where: { id: again.id } });
    });

    test("does nothing that it has no right to, though its person has", async () => {
      const { token } = made;
      expect(await statusOf("/docker/web-1/v1.47/containers/create", token, "POST")).toBe(403);
      expect(await statusOf("/docker/web-1/v1.47/containers/c1/logs?stdout=1", token)).toBe(403);
      for (const [path, input] of [
        ["terminal.open", { host: "web-1", id: "c1", rows: 24, cols: 80 }],
        ["containers.action", { host: "web-1", id: "c1", action: "stop" }],
        ["secrets.set", { name: "x", base64: "eA==" }],
        ["registry.usage.setQuota", { limitBytes: 1 }],
        ["members.create", { name: "x", email: "x@example.test", password: "long enough x", role: "owner" }],
      ] as const)
        await expect(mutate(path, input, token)).rejects.toMatchObject({ code: "FORBIDDEN" });
    });

    test("makes no other token, and changes nothing of its person", async () => {
      await expect(makeToken({}, made.token)).rejects.toMatchObject({ code: "FORBIDDEN" });
      await expect(mutate("tokens.revoke", { id: made.id }, made.token)).rejects.toMatchObject({ code: "FORBIDDEN" });
      await expect(mutate("me.update", { name: "x" }, made.token)).rejects.toMatchObject({ code: "FORBIDDEN" });
    });

    test("is listed with its scope and where it was used from, never with its text", async () => {
      const tokens = (await query("tokens.list")) as Token[];
      const row = tokens.find(({ id }) => id === made.id);
      expect(row).toMatchObject({ rights: ["container.read", "host.read"], hosts: ["web-1"], lastUsedAddress: "127.0.0.1" });
      expect(JSON.stringify(tokens)).not.toContain(made.token);
    });

    test("ends with its time, and at once when it is revoked", async () => {
      const { prisma } = control.services;
      const short = await makeToken({ rights: ["host.read"] });
      expect(await statusOf("/api/v1/hosts", short.token)).toBe(200);
      await prisma.apiToken.update({ where: { id: short.id }, data: { expiresAt: new Date(Date.now() - 1) } });
      control.services.cache.clear();
      expect(await statusOf("/api/v1/hosts", short.token)).toBe(401);
      await mutate("tokens.revoke", { id: made.id });
      expect(await statusOf("/api/v1/hosts", made.token)).toBe(401);
    });
  });

  describe("a webhook", () => {
    type Message = { headers: IncomingHttpHeaders; body: string };
    type Delivery = {
      id: string;
      type: string;
      state: string;
      attempts: number;
      status: number | null;
      error: string | null;
      answer: string | null;
    };
    const messages: Message[] = [];
    let status = 200;
    /** Answers that are held back, while somebody asked for that. */
    let held: (() => void)[] | undefined;
    let receiver: Server;
    let url: string;
    let hook: { id: string; secret: string };
    beforeAll(async () => {
      receiver = createServer((req, res) => {
        const chunks: Buffer[] = [];
        req.on("data", (chunk: Buffer) => chunks.push(chunk));
        req.on("end", () => {
          messages.push({ headers: req.headers, body: Buffer.concat(chunks).toString() });
          const answer = (): unknown => res.writeHead(status, status === 302 ? { location: "http://127.0.0.1:1/" } : {}).end("taken");
          if (held === undefined) answer();
          else held.push(answer);
        });
      });
      await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
      url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
      const input = { name: "chat", url, events: ["audit.secret.*", "host.down"], allowsPrivate: true };
      hook = (await mutate("webhooks.create", input)) as typeof hook;
    });
    afterAll(() => new Promise<void>((resolve) => void receiver.close(() => resolve())));

    const deliveries = async (id = hook.id): Promise<Delivery[]> =>
      ((await query("webhooks.deliveries", { id })) as { items: Delivery[] }).items;
    const untilState = (state: string, id = hook.id): Promise<void> => until(async () => (await deliveries(id))[0]?.state === state);

    test("gets a message that anybody with the secret can prove", async () => {
      await mutate("webhooks.test", { id: hook.id });
      await untilState("delivered");
      const { headers, body } = messages.at(-1) ?? { headers: {}, body: "" };
      const text = (name: string): string => String(headers[name]);
      const key = Buffer.from(hook.secret.slice("whsec_".length), "base64");
      const signed = `${text("webhook-id")}.${text("webhook-timestamp")}.${body}`;
      expect(text("webhook-signature")).toBe(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
      expect(JSON.parse(body)).toMatchObject({ type: "webhook.test", data: { webhook: "chat" } });
      expect((await deliveries())[0]).toMatchObject({ attempts: 1, status: 200, answer: "taken", error: null });
    });

    test("is told of acts that it asked for and of no others, without their secrets", async () => {
      const before = messages.length;
      await mutate("hosts.joinTokens.create", { expiresInMinutes: 1, uses: 1 });
      await mutate("secrets.set", { name: "hooked", base64: Buffer.from("canary-of-webhooks").toString("base64") });
      await until(() => messages.length > before);
      await untilState("delivered");
      const told = messages.slice(before).map(({ body }) => (JSON.parse(body) as { type: string }).type);
      expect(told).toEqual(["audit.secret.change"]);
      expect(JSON.stringify(messages)).not.toMatch(/canary-of-webhooks|Y2FuYXJ5/);
    });

    test("what fails is tried again, and again when somebody asks, with its id; a redirect is not followed", async () => {
      status = 302;
      await mutate("webhooks.test", { id: hook.id });
      await until(async () => (await deliveries())[0]?.status === 302);
      const [failed] = await deliveries();
      expect(failed).toMatchObject({ state: "waiting", attempts: 1, error: "answered 302" });
      status = 200;
      await mutate("webhooks.redeliver", { id: hook.id, deliveryId: failed?.id });
      await untilState("delivered");
      expect(messages.filter(({ headers }) => headers["webhook-id"] === failed?.id)).toHaveLength(2);
    });

    test("what was sent when its control plane was killed is sent again by the next, with its id, and a late end changes nothing", async () => {
      const waiting: (() => void)[] = (held = []);
      await mutate("webhooks.test", { id: hook.id });
      await until(() => waiting.length === 1);
      // As a kill leaves it: taken, sent, and nothing written down. Until the time of whoever took it is over nobody else does.
      held = undefined;
      const at = (ms: number) => ({ ...control.services, nowMs: () => Date.now() + ms });
      expect(await deliverDue(at(30_000))).toBe(0);
      expect((await deliveries())[0]).toMatchObject({ state: "waiting", attempts: 0 });
      expect(await deliverDue(at(61_000))).toBe(1);
      const [delivered] = await deliveries();
      expect(delivered).toMatchObject({ state: "delivered", attempts: 1, status: 200 });
      expect(messages.filter(({ headers }) => headers["webhook-id"] === delivered?.id)).toHaveLength(2);
      status = 500;
      waiting[0]?.();
      status = 200;
      await mutate("webhooks.test", { id: hook.id });
      await untilState("delivered");
      expect((await deliveries())[1]).toEqual(delivered);
    });

    test("after a rotation both secrets sign, and neither is in the database", async () => {
      const { secret } = (await mutate("webhooks.rotate", { id: hook.id })) as { secret: string };
      const before = messages.length;
      await mutate("webhooks.test", { id: hook.id });
      await until(() => messages.length > before);
      expect(String(messages.at(-1)?.headers["webhook-signature"]).split(" ")).toHaveLength(2);
      await untilState("delivered");
      const { prisma } = control.services;
      const rows = await prisma.$queryRaw<
        { row: string }[]
      >`SELECT w::text AS row FROM webhooks w UNION ALL SELECT a::text FROM audit_rows a`;
      const stored = rows.map(({ row }) => row).join("\n");
      for (const text of [secret, hook.secret]) expect(stored).not.toContain(text.slice("whsec_".length));
    });

    test("attack 13: it leads to nothing inside, unless an administrator of the instance allows it", async () => {
      const viewer = await makeToken({ rights: ["webhook.manage"] });
      const create = (more: Record<string, unknown>, token?: string): Promise<unknown> =>
        mutate("webhooks.create", { name: "inside", url, events: ["webhook.test"], ...more }, token);
      await expect(create({ allowsPrivate: true }, viewer.token)).rejects.toMatchObject({ code: "FORBIDDEN" });
      await expect(create({})).rejects.toMatchObject({ code: "BAD_REQUEST" });
      await expect(create({ url: "https://a:b@hooks.example.test/" })).rejects.toMatchObject({ code: "BAD_REQUEST" });
      await expect(create({ url: "file:///etc/passwd" })).rejects.toMatchObject({ code: "BAD_REQUEST" });
      const before = messages.length;
      for (const [index, target] of [
        url.replace("http:", "https:"),
        "https://[::1]/",
        "https://0x7f.1/",
        "https://169.254.169.254/",
        "https://localhost/",
      ].entries()) {
        const { id } = (await create({ name: `inside ${index}`, url: target })) as { id: string };
        await mutate("webhooks.test", { id });
        await until(async () => (await deliveries(id))[0]?.attempts === 1);
        expect((await deliveries(id))[0]).toMatchObject({ status: null, error: expect.stringContaining("not public") });
        await mutate("webhooks.remove", { id });
      }
      expect(messages).toHaveLength(before);
    });

    test("one that is switched off is told nothing; one that is removed takes its messages with it", async () => {
      await mutate("webhooks.update", { id: hook.id, isEnabled: false });
      const count = (await deliveries()).length;
      await expect(mutate("webhooks.test", { id: hook.id })).rejects.toMatchObject({ code: "CONFLICT" });
      await mutate("secrets.set", { name: "unheard", base64: "eA==" });
      expect(await deliveries()).toHaveLength(count);
      await mutate("webhooks.remove", { id: hook.id });
      expect(await control.services.prisma.webhookDelivery.count()).toBe(0);
      await expect(query("webhooks.deliveries", { id: hook.id })).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });

  describe("/metrics", () => {
    const scrape = async (token?: string): Promise<{ status: number; text: string }> => {
      const response = await fetch(`${control.url}/metrics`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
      return { status: response.status, text: await response.text() };
    };

    test("tells an administrator of the instance of the control plane, the hosts and each container", async () => {
      const { status, text } = await scrape(ADMIN_TOKEN);
      expect(status).toBe(200);
      expect(text).toMatch(/^flotilla_connected_hosts 2$/m);
      expect(text).toMatch(/^flotilla_host_up\{host="web-1"\} 1$/m);
      const of = 'host="web-2",name="c1",id="000000000000",image="busybox:latest"';
      for (const line of [
        `running{${of}} 1`,
        `cpu_seconds_total{${of}} 2.5`,
        `memory_bytes{${of}} 4096`,
        `network_transmit_bytes_total{${of}} 20`,
        `restarts_total{${of}} 3`,
      ])
        expect(text).toContain(`flotilla_container_${line}\n`);
      for (const line of text.trim().split("\n")) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [\d.e+-]+)$/);
    });

    test("tells a token of what it may see, and one that may see nothing nothing", async () => {
      const one = await makeToken({ rights: ["host.read", "container.read"], hosts: ["web-1"] });
      const { text } = await scrape(one.token);
      expect(text).toContain('host="web-1"');
      expect(text).not.toContain("web-2");
      const none = await makeToken({ rights: ["image.read"] });
      expect((await scrape(none.token)).status).toBe(403);
      expect((await scrape("flt_wrong")).status).toBe(401);
    });

    test("without a token this machine is told of the control plane alone", async () => {
      const { text } = await scrape();
      expect(text).toContain("process_uptime_seconds");
      expect(text).not.toContain("web-1");
    });
  });

  describe("examples/automation", () => {
    const run = (file: string, args: readonly string[]): Promise<string> =>
      promisify(execFile)(file, args, {
        env: { PATH: process.env["PATH"] ?? "", FLOTILLA_URL: control.url, FLOTILLA_TOKEN: ADMIN_TOKEN },
      }).then(({ stdout }) => stdout);
    const example = (name: string): string => join(import.meta.dirname, "..", "..", "examples", "automation", name);

    test("curl.sh lists hosts and containers, and makes one join token however often it is sent", async () => {
      const [first, second] = [await run("sh", [example("curl.sh")]), await run("sh", [example("curl.sh")])];
      expect(first).toContain('"name":"web-1"');
      const tokenOf = (text: string): string | undefined => /"token":"([^"]+)"/.exec(text)?.[1];
      expect(tokenOf(first)).toMatch(/./);
      expect(tokenOf(second)).toBe(tokenOf(first));
      expect(
        await control.services.prisma.joinToken.count({
          where: { uses: 1, usesLeft: 1, isLocal: false, expiresAt: { gt: new Date(Date.now() + 8 * 60_000) } },
        }),
      ).toBe(1);
    });

    test("client.ts speaks the control plane's own types", async () => {
      expect(await run(process.execPath, [example("client.ts")])).toBe(
        "web-1 is online\nweb-2 is online\nNOT_FOUND: no such host: no-such-host\n",
      );
    });
  });

  describe("a service account", () => {
    const accounts = async (): Promise<Account[]> => (await query("serviceAccounts.list")) as Account[];

    test("is of the team, acts by its tokens with its role, and is no member who could sign in", async () => {
      const { id } = (await mutate("serviceAccounts.create", { name: "ci", role: "viewer" })) as { id: string };
      const { token } = (await mutate("serviceAccounts.createToken", { id, name: "pipeline", expiresInDays: 1 })) as Made;
      expect(await query("me.get", undefined, token)).toMatchObject({
        user: { name: "ci", role: { id: "viewer" }, isInstanceAdmin: false },
      });
      expect(await statusOf("/docker/web-1/v1.47/containers/json", token)).toBe(200);
      expect(await statusOf("/docker/web-1/v1.47/containers/create", token, "POST")).toBe(403);
      const refused = (await query("activity.list", { outcome: "refused", actor: "ci@" })) as { items: { actor: unknown }[] };
      expect(refused.items[0]?.actor).toEqual({ kind: "token", name: expect.stringMatching(/^ci@[\w-]+\.service$/) });
      expect(JSON.stringify(await query("members.list"))).not.toContain('"ci"');
      expect(await control.services.prisma.account.count({ where: { userId: id } })).toBe(0);
    });

    test("its name is its own; a wrong one and an unknown role are refused", async () => {
      const create = (name: string, role: string): Promise<unknown> => mutate("serviceAccounts.create", { name, role });
      await expect(create("ci", "viewer")).rejects.toMatchObject({ code: "CONFLICT" });
      await expect(create("c i\n", "viewer")).rejects.toMatchObject({ code: "BAD_REQUEST" });
      await expect(create("other", "none")).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("nobody makes one, or a token, that may more than they may themselves", async () => {
      const scoped = await makeToken({ rights: ["token.manage", "host.read"] });
      await expect(mutate("serviceAccounts.create", { name: "big", role: "owner" }, scoped.token)).rejects.toMatchObject({
        code: "FORBIDDEN",
      });
      const [ci] = await accounts();
      const input = { id: ci?.id, name: "x", expiresInDays: 1, rights: ["container.run"] };
      await expect(mutate("serviceAccounts.createToken", input, scoped.token)).rejects.toMatchObject({ code: "FORBIDDEN" });
      await expect(makeToken({ rights: ["container.everything"] })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    });

    test("its tokens end with it", async () => {
      const [ci] = await accounts();
      const id = ci?.id ?? "";
      const { token, id: tokenId } = (await mutate("serviceAccounts.createToken", { id, name: "second", expiresInDays: 1 })) as Made;
      await mutate("serviceAccounts.revokeToken", { id, tokenId });
      expect(await statusOf("/api/v1/hosts", token)).toBe(401);
      const last = (await mutate("serviceAccounts.createToken", { id, name: "third", expiresInDays: 1 })) as Made;
      await mutate("serviceAccounts.remove", { id });
      expect(await statusOf("/api/v1/hosts", last.token)).toBe(401);
      expect(await accounts()).toEqual([]);
    });
  });
});
