import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, silentLogger } from "@flotilla/core";
import { issuePullCredential } from "@flotilla/services";
import { afterAll, beforeAll, expect, test } from "vitest";
import { joinControlPlane } from "../../agent/src/link/join.ts";
import { importBusybox, startTestAgent, type TestAgent } from "../support/agent.ts";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { type CommandResult, docker, tokenEnvironment } from "../support/docker.ts";
import { until, untilOnline } from "../support/linked-agent.ts";
import { fetchToken, registryClient } from "../support/registry-client.ts";

// Two real hosts of one control plane, and the unmodified docker command: one logs in and pushes, the other just pulls.
let control: TestControl;
let pusher: TestAgent;
let puller: TestAgent;
let pullerId: string;
let dir: string;
let image: string;
const logged: string[] = [];
const logger: Logger = { ...silentLogger, child: () => logger };
for (const level of ["debug", "info", "warn", "error"] as const)
  logger[level] = (message, fields) => void logged.push(JSON.stringify([message, fields]));

async function joinHost(agent: TestAgent, name: string): Promise<string> {
  const made = await control.call(
    "hosts.joinTokens.create",
    { name, expiresInMinutes: 5, uses: 1 },
    { kind: "mutation", token: ADMIN_TOKEN },
  );
  const { token } = made as { token: string };
  const dataDir = join(agent.dir, "data", "agent");
  const { hostId } = await joinControlPlane({ dataDir, controlUrl: control.url, token, agentVersion: "0.0.0-test" });
  await untilOnline(control, hostId);
  return hostId;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "flh-"));
  control = await startTestControl({ withAdmin: true, logger });
  image = `127.0.0.1:${control.port}/team/app:1`;
  pusher = await startTestAgent({ withoutImage: true });
  puller = await startTestAgent({ withoutImage: true });
  await joinHost(pusher, "pusher");
  pullerId = await joinHost(puller, "puller");
  await until(async () => {
    const detail = await control.call("hosts.get", { host: "puller" }, { token: ADMIN_TOKEN });
    return (detail as { desiredState: { state: string } }).desiredState.state === "applied";
  });
});
afterAll(async () => {
  await puller.close();
  await pusher.close();
  await control.close();
  rmSync(dir, { recursive: true, force: true });
});

const env = (): Record<string, string> => ({ HOME: dir, DOCKER_CONFIG: join(dir, "docker") });
/** docker without any configuration, as somebody who never logged in. */
const pull = (reference: string): Promise<CommandResult> =>
  puller.docker(["pull", reference], { env: { DOCKER_CONFIG: join(dir, "none") } });

test("what one host pushed with a login, another pulls without", async () => {
  await importBusybox(pusher);
  const login = ["login", `127.0.0.1:${control.port}`, "-u", "any", "--password-stdin"];
  expect(await pusher.docker(login, { input: ADMIN_TOKEN, env: env() })).toMatchObject({ exitCode: 0 });
  await pusher.docker(["tag", "busybox:latest", image]);
  expect(await pusher.docker(["push", image], { env: env() })).toMatchObject({ exitCode: 0 });
  expect(await pull(image)).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await puller.inspect(image, "{{.Id}}")).toBe(await pusher.inspect(image, "{{.Id}}"));
});

test("so it does through the control plane, and as the base of a build", async () => {
  await puller.docker(["rmi", image]);
  const host = `tcp://127.0.0.1:${control.port}/docker/puller`;
  const headers = { DOCKER_CONFIG: join(dir, "none"), ...(await tokenEnvironment(ADMIN_TOKEN, join(dir, "with-token"))) };
  expect(await docker(host, ["pull", image], { env: headers })).toMatchObject({ exitCode: 0 });
  await puller.docker(["rmi", image]);
  writeFileSync(join(dir, "Dockerfile"), `FROM ${image}\nLABEL built=yes\n`);
  const build = ["build", "-t", "built", "-f", join(dir, "Dockerfile"), dir];
  expect(await puller.docker(build, { env: { DOCKER_BUILDKIT: "0", DOCKER_CONFIG: join(dir, "none") } })).toMatchObject({ exitCode: 0 });
  expect(await puller.inspect("built", "{{.Config.Labels.built}}")).toBe("yes");
  await puller.docker(["rmi", "built", image]);
});

test("what a registry has under a name is told without a login, too", async () => {
  const path = `/docker/puller/v1.47/distribution/${image}/json`;
  const response = await fetch(`${control.url}${path}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  expect([response.status, await response.json()]).toMatchObject([
    200,
    { Descriptor: { digest: expect.stringMatching(/^sha256:/) as string } },
  ]);
});

test("a login that somebody brings counts, also a wrong one", async () => {
  const auth = Buffer.from("any:flt_wrong").toString("base64");
  const config = join(dir, "wrong");
  mkdirSync(config);
  writeFileSync(join(config, "config.json"), JSON.stringify({ auths: { [`127.0.0.1:${control.port}`]: { auth } } }));
  const refused = await puller.docker(["pull", image], { env: { DOCKER_CONFIG: config } });
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/pull access denied.*incorrect username or password/)]);
});

test("another team's private repository is not there", async () => {
  const { prisma } = control.services;
  await control.call(
    "members.create",
    { name: "S", email: "s@example.test", password: "s's long password", role: "owner" },
    { kind: "mutation", token: ADMIN_TOKEN },
  );
  const team = await prisma.team.create({ data: { name: "Other", slug: "other", namespace: "other" } });
  await prisma.membership.updateMany({ where: { user: { email: "s@example.test" } }, data: { teamId: team.id } });
  const cookie = await control.signIn("s@example.test", "s's long password");
  const { token } = (await control.call("tokens.create", { name: "t", expiresInDays: 1 }, { kind: "mutation", cookie })) as {
    token: string;
  };
  await registryClient(control, token).pushImage("other/secret", "v1");
  const there = await pull(`127.0.0.1:${control.port}/other/secret:v1`);
  const nowhere = await pull(`127.0.0.1:${control.port}/other/nothing:v1`);
  expect([there.exitCode, there.stderr]).toEqual([1, expect.stringMatching(/pull access denied for .*, repository does not exist/)]);
  expect(nowhere.stderr).toBe(there.stderr.replaceAll("other/secret", "other/nothing"));
});

test("the agent restarts without its control plane's help and still can", async () => {
  await puller.kill();
  await puller.start();
  expect(await pull(image)).toMatchObject({ exitCode: 0 });
  await puller.docker(["rmi", image]);
});

test("a host that was removed cannot pull any more; what it had is in no log", async () => {
  const { username, password } = issuePullCredential(control.services, pullerId);
  expect((await fetchToken(control, [], { username, password })).status).toBe(200);
  await control.call("hosts.remove", { host: "puller" }, { kind: "mutation", token: ADMIN_TOKEN });
  expect((await fetchToken(control, [], { username, password })).status).toBe(401);
  expect(await pull(image)).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/pull access denied/) as string });
  const logs = puller.log() + pusher.log() + logged.join("\n");
  expect(logs.length).toBeGreaterThan(100);
  expect(logs).not.toContain(password.split(".")[2]);
  expect(JSON.stringify(await control.services.prisma.auditRow.findMany())).not.toContain(password.split(".")[2]);
});
