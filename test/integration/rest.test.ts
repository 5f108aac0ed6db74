import { existsSync } from "node:fs";
import { join } from "node:path";
import { openApiDocument } from "@flotilla/api";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { dockerEngine, makeContainers } from "../support/docker-engine.ts";
import { pick, sampleOf, type Schema, wrongOf } from "../support/json-samples.ts";
import { type LinkedAgent, startLinkedAgent } from "../support/linked-agent.ts";
import { seeded } from "../support/seeded.ts";

type Answer = { status: number; headers: Headers; body: unknown };
type Item = { Id: string };
type Page = { items: Item[]; nextCursor: string | null; errors: unknown[] };
type Operation = {
  operationId: string;
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: { "application/json": { schema: Schema } } };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
};

const AUTH = { authorization: `Bearer ${ADMIN_TOKEN}` };
/** As whom operations are called: all twice as an administrator, and in turn as who may little and as an owner of another team. */
type Caller = "admin" | "viewer" | "stranger";
const CALLERS: readonly (readonly Caller[])[] = [
  ["admin", "admin", "viewer"],
  ["admin", "admin", "stranger"],
];
/** Real objects, so that not every generated call ends at "no such host". */
const KNOWN: Readonly<Record<string, string>> = { host: "web-1", id: "c1", stack: "shop", repository: "team/app", reference: "v1", name: "v1", network: "n1" }; // prettier-ignore

describe("REST", () => {
  let control: TestControl;
  let agent: LinkedAgent;
  beforeAll(async () => {
    control = await startTestControl({ withAdmin: true });
    agent = await startLinkedAgent(control, { name: "web-1", engine: dockerEngine(makeContainers(250)) });
  });
  afterAll(async () => {
    await agent.close();
    await control.close();
  });

  const makeTokens = async (): Promise<Record<Caller, string>> => {
    const call = (path: string, input: unknown, as: { token?: string; cookie?: string } = { token: ADMIN_TOKEN }): Promise<unknown> =>
      control.call(path, input, { kind: "mutation", ...as });
    const password = "a long enough password";
    const makePerson = async (name: string, role: string, teamId?: string): Promise<string> => {
      const email = `${name}@example.test`;
      await call("members.create", { name, email, password, role });
      if (teamId !== undefined) await control.services.prisma.membership.updateMany({ where: { user: { email } }, data: { teamId } });
      const made = await call("tokens.create", { name, expiresInDays: 1 }, { cookie: await control.signIn(email, password) });
      return (made as { token: string }).token;
    };
    const team = (await call("teams.create", { name: "Other", slug: "other" })) as { id: string };
    return { admin: ADMIN_TOKEN, viewer: await makePerson("vera", "viewer"), stranger: await makePerson("sam", "owner", team.id) };
  };
  const ask = async (method: string, path: string, more: { body?: unknown; headers?: Record<string, string> } = {}): Promise<Answer> => {
    const json = more.body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(`${control.url}${path.startsWith("/api") ? path : `/api/v1${path}`}`, {
      method,
      headers: { ...AUTH, ...json, ...more.headers },
      ...(more.body === undefined ? {} : { body: typeof more.body === "string" ? more.body : JSON.stringify(more.body) }),
    });
    const text = await response.text();
    const isJson = /^application\/(problem\+)?json\b/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
  };

  test("the document is served to everybody, and says where everything is", async () => {
    const response = await fetch(`${control.url}/api/v1/openapi.json`);
    expect(await response.json()).toMatchObject({ openapi: "3.1.1", servers: [{ url: "/api/v1" }] });
    expect(await ask("POST", "/openapi.json")).toMatchObject({ status: 405 });
  });

  test("a list comes in pages that `Link` leads through, each object once", async () => {
    const seen: string[] = [];
    let path: string | undefined = "/containers?limit=100";
    while (path !== undefined) {
      const { body, headers, status } = await ask("GET", path);
      expect(status).toBe(200);
      const { items, nextCursor } = body as Page;
      seen.push(...items.map((item) => item.Id));
      path = /^<(.*)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
      expect(path === undefined).toBe(nextCursor === null);
    }
    expect(seen).toHaveLength(250);
    expect(new Set(seen).size).toBe(250);
    expect(await ask("GET", "/containers?limit=1001")).toMatchObject({ status: 400 });
    expect(await ask("GET", "/audit?limit=1")).toMatchObject({ status: 200, body: { items: [{}], nextCursor: expect.any(String) } });
  });

  test("a call with a key is done once: the answer is replayed, another body is refused", async () => {
    const make = (body: unknown): Promise<Answer> => ask("POST", "/tokens", { body, headers: { "idempotency-key": "first" } });
    const first = await make({ name: "ci", expiresInDays: 1 });
    const again = await make({ name: "ci", expiresInDays: 1 });
    expect(first).toMatchObject({ status: 201, body: { token: expect.stringMatching(/^flt_/) } });
    expect([again.status, again.body, again.headers.get("idempotency-replayed")]).toEqual([201, first.body, "true"]);
    expect(await make({ name: "other", expiresInDays: 1 })).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
    const { prisma } = control.services;
    expect(await prisma.apiToken.count({ where: { name: "ci" } })).toBe(1);
    const stored = Buffer.concat((await prisma.idempotencyKey.findMany()).map((row) => Buffer.from(row.answer ?? [])));
    expect(stored.includes((first.body as { token: string }).token)).toBe(false);
  });

  test("of ten calls at once with one key one is done", async () => {
    const call = (): Promise<Answer> =>
      ask("POST", "/tokens", { body: { name: "once", expiresInDays: 1 }, headers: { "idempotency-key": "k2" } });
    const answers = await Promise.all(Array.from({ length: 10 }, call));
    expect(await control.services.prisma.apiToken.count({ where: { name: "once" } })).toBe(1);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
  });

  test("a key is its caller's own, is forgotten after a failure that may pass, and after a day", async () => {
    const { services } = control;
    const rename = (host: string): Promise<Answer> =>
      ask("PATCH", `/hosts/${host}`, { body: { name: host }, headers: { "idempotency-key": "k3" } });
    expect(await rename("nowhere")).toMatchObject({ status: 404 });
    expect((await rename("nowhere")).headers.get("idempotency-replayed")).toBe("true");
    await services.prisma.idempotencyKey.updateMany({ data: { expiresAt: new Date(0) } });
    expect(await rename("web-1")).toMatchObject({ status: 204 });
    expect(await ask("PATCH", "/hosts/web-1", { body: { name: "web-1" }, headers: { "idempotency-key": "a\tb" } })).toMatchObject({
      status: 400,
    });
  });

  test.each([
    ["GET", "/nothing", undefined, 404, "not_found"],
    ["PUT", "/hosts", undefined, 405, "method_not_allowed"],
    ["GET", "/hosts/none", undefined, 404, "not_found"],
    ["GET", "/hosts?nothing=1", undefined, 400, "bad_request"],
    ["PATCH", "/hosts/web-1", "{", 400, "bad_request"],
    ["PATCH", "/hosts/web-1", { name: "!" }, 400, "bad_request"],
    ["PATCH", "/hosts/web-1", { name: "a", other: 1 }, 400, "bad_request"],
    ["POST", "/tokens", { name: "x".repeat(2_000_000), expiresInDays: 1 }, 413, "payload_too_large"],
  ])("%s %s is a problem with a sentence", async (method, path, body, status, code) => {
    const answer = await ask(method, path, { body });
    expect(answer).toMatchObject({
      status,
      body: { type: "about:blank", status, code, title: expect.any(String), detail: expect.any(String) },
    });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  test("a field that a schema refuses is named", async () => {
    const { body } = await ask("POST", "/tokens", { body: { name: "", expiresInDays: 0 } });
    expect(body).toMatchObject({ errors: [{ field: "name" }, { field: "expiresInDays" }] });
    expect(await ask("PATCH", "/hosts/web-1", { body: "name=a", headers: { "content-type": "text/plain" } })).toMatchObject({
      status: 400,
    });
  });

  test("without a token nothing is told, not even which paths there are", async () => {
    for (const path of ["/hosts", "/nothing", "/hosts/web-1"]) {
      const answer = await ask("GET", path, { headers: { authorization: "Bearer flt_wrong" } });
      expect(answer).toMatchObject({ status: 401, body: { code: "unauthorized" } });
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    }
    expect(await ask("GET", "/setup", { headers: { authorization: "Bearer flt_wrong" } })).toMatchObject({ status: 200 });
  });

  test("attack 19: another site cannot make a visitor's browser call it", async () => {
    const cookie = await control.signIn("ada@example.test", "correct horse battery");
    const call = (origin: string): Promise<number> =>
      fetch(`${control.url}/api/v1/me`, { headers: { cookie, origin } }).then((response) => response.status);
    expect(await call("https://elsewhere.test")).toBe(403);
    expect(await call(control.url)).toBe(200);
  });

  // Calls of each operation, good and wrong, the same at each run.
  test("generated calls of every operation end in no 5xx, and every answer is what the document says", async () => {
    const document = openApiDocument();
    const tokens = await makeTokens();
    const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false });
    const random = seeded(20261126);
    const problems: string[] = [];
    const statuses = new Map<number, number>();
    const calls: (() => Promise<void>)[] = [];
    const problem = document.components.schemas["Problem"] as Schema;
    let operations = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, described] of Object.entries(methods)) {
        const operation = described as unknown as Operation;
        const schemaOf = (status: number): Schema | undefined =>
          status >= 400 ? problem : operation.responses[String(status)]?.content?.["application/json"]?.schema;
        for (const caller of CALLERS[(operations += 1) % CALLERS.length] ?? []) {
          const call = makeCall({ path, method, operation }, random);
          calls.push(async () => {
            const headers = { authorization: `Bearer ${tokens[caller]}` };
            const answer = await ask(method.toUpperCase(), call.path, { body: call.body, headers });
            statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
            const about = `${caller}: ${method} ${call.path} ${JSON.stringify(call.body)?.slice(0, 300) ?? ""} → ${answer.status} ${JSON.stringify(answer.body)?.slice(0, 300) ?? ""}`;
            if (answer.status >= 500) problems.push(`5xx: ${about}`);
            // Addresses of more than 16 KiB are refused by Node's parser, before any door of ours.
            if (answer.status === 431) return;
            const isDescribed = operation.responses[String(answer.status)] !== undefined;
            if (answer.status < 300 && !isDescribed) problems.push(`status: ${about}`);
            // Compiled by need (ajv keeps what it compiled): all at once would hold up the server, which is in this process, for seconds.
            const schema = schemaOf(answer.status);
            if (schema !== undefined && !ajv.validate(schema, answer.body)) problems.push(`schema: ${about}`);
          });
        }
      }
    }
    const next = calls.values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const call of next) await call();
      }),
    );
    expect(problems).toEqual([]);
    expect(statuses.get(200) ?? 0).toBeGreaterThan(30);
    expect(statuses.get(401) ?? 0).toBe(0);
  });

  test("attack 6: what others would run, follow or break a line at is a text in every field of every operation", async () => {
    const canary = join(control.dir, "canary");
    const random = seeded(6);
    const problems: string[] = [];
    const operations = Object.entries(openApiDocument().paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => ({ path, method, operation: described as unknown as Operation })),
    );
    const rest = [...operations.entries()].values();
    const work = async (): Promise<void> => {
      for (const [index, target] of rest) {
        const text = (INJECTIONS[index % INJECTIONS.length] ?? "").replaceAll("CANARY", canary);
        const { requestBody, parameters } = target.operation;
        const schema = requestBody?.content["application/json"].schema;
        let path = target.path.replace(/\{\w+\}/g, encodeURIComponent(text));
        const search = new URLSearchParams(
          parameters.filter((one) => one.in === "query").map(({ name }): [string, string] => [name, text]),
        );
        if (search.size > 0) path += `?${search.toString().slice(0, 8_000)}`;
        const body = schema === undefined ? undefined : withTexts(sampleOf(schema, random), text);
        const answer = await ask(target.method.toUpperCase(), path, { body });
        if (answer.status >= 500 || answer.headers.has("x-injected"))
          problems.push(`${target.method} ${path.slice(0, 200)} → ${answer.status}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    expect(problems).toEqual([]);
    expect(existsSync(canary)).toBe(false);
    expect(await ask("GET", "/hosts")).toMatchObject({ status: 200 });
  });
});

/** What a shell, a path, a line of a log or an option parser would read as something else than a text. */
const INJECTIONS = ["; touch CANARY", "$(touch CANARY)", "`touch CANARY`", "| touch CANARY", "a\r\nX-Injected: 1", "--output=CANARY", "-rf", "../../../../CANARY", "%2e%2e%2fCANARY", "..%00", "\u202egnp.exe", "рауmеnt", "' OR 1=1 --", "x".repeat(10_000)]; // prettier-ignore

/** Every text of a value, however deep, in place of another one. */
function withTexts(value: unknown, text: string): unknown {
  if (typeof value === "string") return text;
  if (Array.isArray(value)) return value.map((item) => withTexts(item, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withTexts(item, text)]));
}

type Target = { path: string; method: string; operation: Operation };

function makeCall({ path, method, operation }: Target, random: () => number): { path: string; body: unknown } {
  const isWrong = random() < 0.4;
  const value = (name: string, schema: Schema): unknown => {
    if (isWrong && random() < 0.5) return wrongOf(random);
    // What ends the test's own host or account is not asked for.
    if (method !== "delete" && KNOWN[name] !== undefined && random() < 0.7) return KNOWN[name];
    return sampleOf(schema, random);
  };
  let filled = path;
  const search = new URLSearchParams();
  for (const { name, in: place, required, schema } of operation.parameters) {
    if (place === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(textOf(value(name, schema)) || "x"));
    if (place === "query" && (required || random() < 0.4)) search.append(name, textOf(value(name, schema)));
  }
  const schema = operation.requestBody?.content["application/json"].schema;
  const body = schema === undefined ? undefined : makeBody(schema, { isWrong, random });
  return { path: `${filled}${search.size === 0 ? "" : `?${search.toString()}`}`, body };
}

function makeBody(schema: Schema, { isWrong, random }: { isWrong: boolean; random: () => number }): unknown {
  const body = sampleOf(schema, random) as Record<string, unknown>;
  if (!isWrong) return body;
  const names = Object.keys(schema.properties ?? {});
  if (names.length > 0) body[pick(names, random)] = wrongOf(random);
  return random() < 0.1 ? wrongOf(random) : body;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
