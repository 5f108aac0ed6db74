import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Logger } from "@flotilla/core";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { type LinkedAgent, startLinkedAgent, until } from "../support/linked-agent.ts";

// Attack 17: secrets are planted through every door, then looked for wherever they must not be.
const PLANTED = {
  password: "canary-password-5b1f",
  environment: "canary-environment-91ac",
  argument: "canary-argument-77d0",
  registry: Buffer.from(JSON.stringify({ username: "u", password: "canary-registry-c3c3" })).toString("base64url"),
  buildArgument: "canary-build-argument-0e42",
  upstream: "canary-upstream-4dd1",
  stackSecret: "canary-stack-secret-a8f0",
  stackConfig: "canary-stack-config-be77",
  stackVariable: "canary-stack-variable-13ce",
  stackEnvironment: "canary-stack-environment-6f02",
};
const HOOK = { name: "chat", url: "https://hooks.example.test/x", events: ["webhook.test"] };
const EVENTS = ["audit.*", "host.*", "container.*", "deployment.*"];
const STACK = `services:
  web:
    image: busybox
    environment: { A: "${PLANTED.stackEnvironment}", B: "$CANARY" }
    secrets: [key]
    configs: [conf]
secrets: { key: { external: true } }
configs: { conf: { external: true } }
`;

const base64 = (text: string): string => Buffer.from(text).toString("base64");

let control: TestControl;
let agent: LinkedAgent;
/** Is told everything that a webhook can be told. */
let receiver: Server;
const told: string[] = [];
const log: string[] = [];
const logger: Logger = {
  debug: (message, fields) => void log.push(message + JSON.stringify(fields ?? {})),
  info: (message, fields) => void log.push(message + JSON.stringify(fields ?? {})),
  warn: (message, fields) => void log.push(message + JSON.stringify(fields ?? {})),
  error: (message, fields) => void log.push(message + JSON.stringify(fields ?? {})),
  child: () => logger,
};

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true, logger });
  receiver = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      told.push(`${JSON.stringify(req.headers)} ${Buffer.concat(chunks).toString()}`);
      res.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  agent = await startLinkedAgent(control, {
    name: "web-1",
    engine: (stream, headers) => {
      stream.on("error", () => undefined);
      stream.resume();
      if ((headers[":path"] ?? "").includes("/events")) return stream.respond({ ":status": 200 });
      stream.respond({ ":status": 500, "content-type": "application/json" });
      stream.end(JSON.stringify({ message: "the engine is out of order" }));
    },
  });
});
afterAll(async () => {
  await agent.close();
  await control.close();
  await new Promise<void>((resolve) => void receiver.close(() => resolve()));
});

/** Every row of every table, as text. */
async function dump(): Promise<string> {
  const { prisma } = control.services;
  const tables = await prisma.$queryRaw<
    { name: string }[]
  >`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`;
  expect(tables.length).toBeGreaterThan(5);
  const rows = await Promise.all(
    tables.map(({ name }) =>
      prisma.$queryRawUnsafe<{ row: string }[]>(`SELECT '${name} ' || row_to_json(t)::text AS row FROM "${name}" t`),
    ),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join("\n");
}

type Answers = { texts: string[]; attempt: (path: string, input: unknown) => Promise<unknown> };

/** Every kind of secret that a person or a program types in, or is shown once. The engine of the host answers each call with an error. */
async function plant(cookie: string, { texts, attempt }: Answers): Promise<Record<string, string>> {
  const person = { name: "C", email: "c@example.test", role: "deployer" };
  await attempt("members.create", { ...person, password: PLANTED.password });
  await attempt("members.create", { ...person, password: PLANTED.password });
  await control.signIn("nobody@example.test", PLANTED.password).catch((error: unknown) => texts.push(String(error)));
  const made = (await attempt("tokens.create", { name: "t", expiresInDays: 1 })) as { token: string };
  const join = (await attempt("hosts.joinTokens.create", { expiresInMinutes: 5, uses: 1 })) as { token: string };
  const invitation = (await attempt("invitations.create", { email: "guest@example.test", role: "viewer" })) as { url: string };
  const account = (await attempt("serviceAccounts.create", { name: "ci", role: "viewer" })) as { id: string };
  const program = (await attempt("serviceAccounts.createToken", { id: account.id, name: "t", expiresInDays: 1 })) as { token: string };
  const hook = (await attempt("webhooks.create", HOOK)) as { id: string; secret: string };
  const rotated = (await attempt("webhooks.rotate", { id: hook.id })) as { secret: string };
  const upstream = { name: "mirror", url: control.url, allowsPrivate: true, username: "u", password: PLANTED.upstream };
  await attempt("registry.upstreams.create", upstream);
  await attempt("registry.upstreams.test", { name: "mirror" });
  await attempt("secrets.set", { name: "key", base64: base64(PLANTED.stackSecret) });
  await attempt("secrets.set", { name: "not a name", base64: base64(PLANTED.stackSecret) });
  await attempt("configs.set", { name: "conf", base64: base64(PLANTED.stackConfig) });
  await attempt("stacks.deploy", { name: "shop", files: { "compose.yaml": STACK }, variables: { CANARY: PLANTED.stackVariable } });
  await attempt("stacks.setVariables", { stack: "shop", variables: { CANARY: PLANTED.stackVariable } });
  const spec = { image: "busybox", env: [`SECRET=${PLANTED.environment}`], command: ["sh", "-c", PLANTED.argument] };
  await attempt("containers.run", { host: "web-1", spec });
  await attempt("terminal.open", { host: "web-1", id: "c1", rows: 24, cols: 80, command: ["sh", "-c", PLANTED.argument] });
  const docker = async (path: string, headers: Record<string, string>, body: string): Promise<void> => {
    const response = await fetch(`${control.url}/docker/web-1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${made.token}`, "content-type": "application/json", ...headers },
      body,
    });
    texts.push(await response.text());
  };
  await docker("containers/create?name=c", {}, JSON.stringify({ Image: "x", Env: [PLANTED.environment], Cmd: [PLANTED.argument] }));
  await docker("images/create?fromImage=x", { "x-registry-auth": PLANTED.registry }, "");
  await docker(`build?buildargs=${encodeURIComponent(JSON.stringify({ A: PLANTED.buildArgument }))}`, {}, "");
  // The answer that is kept for a repeated call holds the token that the first one made.
  const repeated = await fetch(`${control.url}/api/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${made.token}`, "content-type": "application/json", "idempotency-key": "canary" },
    body: JSON.stringify({ name: "again", expiresInDays: 1 }),
  });
  const again = (await repeated.json()) as { token: string };
  return {
    ...PLANTED,
    token: made.token,
    tokenByRest: again.token,
    tokenOfProgram: program.token,
    joinToken: join.token,
    // flj1.<id>.<secret>.<public key of the control plane>
    joinSecret: join.token.split(".")[2] ?? "",
    invitation: new URL(invitation.url).hash.split("=").at(-1) ?? "",
    webhook: hook.secret.slice("whsec_".length),
    webhookRotated: rotated.secret.slice("whsec_".length),
    ...(await enrol(cookie)),
    adminToken: ADMIN_TOKEN,
    adminPassword: ADMIN.password,
  };
}

/** A second step at sign-in for the administrator. */
async function enrol(cookie: string): Promise<{ totp: string; backupCode: string }> {
  const response = await fetch(`${control.url}/api/auth/two-factor/enable`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: control.url, cookie },
    body: JSON.stringify({ password: ADMIN.password }),
  });
  const { totpURI, backupCodes } = (await response.json()) as { totpURI: string; backupCodes: string[] };
  return { totp: new URL(totpURI).searchParams.get("secret") ?? "", backupCode: backupCodes[0] ?? "" };
}

/** Where nobody may find them, for somebody who may see everything that can be seen. */
async function places(cookie: string): Promise<Record<string, string>> {
  const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const read = async (path: string): Promise<string> => (await fetch(`${control.url}${path}`, { headers: bearer })).text();
  const pages = ["stacks.list", "secrets.list", "configs.list", "webhooks.list", "tokens.list", "serviceAccounts.list", "invitations.list"];
  const lists = [
    "registry.upstreams.list",
    "members.list",
    "overview.get",
    "hosts.list",
    "hosts.joinTokens.list",
    "sessions.list",
    "me.get",
  ];
  const shown = await Promise.all([...pages, ...lists].map((path) => control.call(path, undefined, { cookie })));
  const deployments = await control.call("deployments.list", {}, { cookie });
  return {
    metrics: (await read("/metrics")) + (await (await fetch(`${control.url}/metrics`)).text()),
    activity: JSON.stringify(await control.call("activity.list", { limit: 200 }, { cookie })),
    export: await read("/api/v1/audit/export"),
    lists: JSON.stringify([shown, deployments]),
    database: await dump(),
    log: log.join("\n"),
  };
}

test("attack 17: secrets are in no log, audit row, export, metric, list, error or table, whatever fails on the way", async () => {
  const texts: string[] = [];
  const signIn = await fetch(`${control.url}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: control.url },
    body: JSON.stringify({ email: ADMIN.email, password: ADMIN.password }),
  });
  texts.push(await signIn.text());
  const cookie = signIn.headers
    .getSetCookie()
    .map((text) => text.split(";")[0] ?? "")
    .join("; ");
  const session = decodeURIComponent(/session_token=([^;]+)/.exec(cookie)?.[1] ?? "");
  texts.push(await (await fetch(`${control.url}/api/auth/get-session`, { headers: { cookie } })).text());
  const attempt = async (path: string, input: unknown): Promise<unknown> => {
    try {
      return await control.call(path, input, { kind: "mutation", cookie });
    } catch (error) {
      texts.push(String(error));
      return undefined;
    }
  };
  const listener = { name: "listener", url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, allowsPrivate: true };
  const heard = (await attempt("webhooks.create", { ...listener, events: EVENTS })) as { id: string };
  const planted = { ...(await plant(cookie, { texts, attempt })), session };
  // A canary that was never made is found nowhere, and proves nothing.
  for (const [name, secret] of Object.entries(planted)) expect(secret?.length, name).toBeGreaterThan(9);

  await until(
    async () =>
      (await control.services.prisma.webhookDelivery.count({ where: { webhookId: heard.id, NOT: { state: "delivered" } } })) === 0,
  );
  const looked: Record<string, string> = { ...(await places(cookie)), errors: texts.join("\n"), webhooks: told.join("\n") };
  const found = Object.entries(looked).flatMap(([place, text]) =>
    Object.entries(planted).flatMap(([name, secret]) =>
      [secret, base64(secret)].some((form) => text.includes(form)) ? [`${name} in ${place}`] : [],
    ),
  );
  expect(found).toEqual([]);
  // The part of the cookie before its signature is what the table of sessions holds: it must not be in answers either.
  expect(`${looked["errors"]}${looked["log"]}${looked["activity"]}${looked["export"]}`).not.toContain(session.split(".")[0]);
  for (const action of ["container.create", "webhook.change", "secret.change", "stack.deploy"]) {
    expect(looked["export"]).toContain(action);
    expect(looked["webhooks"]).toContain(`"audit.${action}"`);
  }
});

test("a set-up token is in no log and no table", async () => {
  const fresh = await startTestControl({ logger });
  try {
    const token = /#token=(.+)$/.exec(fresh.setupUrl ?? "")?.[1] ?? "";
    expect(token).toHaveLength(43);
    await fresh
      .call(
        "setup.complete",
        { token: `${token}x`, name: "x", email: "x@example.test", password: "long enough x", teamName: "x" },
        { kind: "mutation" },
      )
      .catch(() => undefined);
    // Attack 18: whoever asks under another name does not get a link to it.
    const poisoned = await fetch(`${fresh.url}/api/trpc/setup.status`, {
      headers: { "x-forwarded-host": "evil.test", forwarded: "host=evil.test" },
    });
    expect(await poisoned.text()).not.toContain("evil.test");
    expect(fresh.setupUrl).not.toContain("evil");
    const rows = await fresh.services.prisma.$queryRaw<{ row: string }[]>`SELECT row_to_json(t)::text AS row FROM setup_tokens t`;
    expect(JSON.stringify(rows) + log.join("\n")).not.toContain(token);
  } finally {
    await fresh.close();
  }
});
