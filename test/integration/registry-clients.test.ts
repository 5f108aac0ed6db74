import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { docker, runCommand, type CommandResult } from "../support/docker.ts";
import { type Dockerd, startDockerd } from "../support/dockerd.ts";

// Unmodified clients of others: the docker command with Debian's dockerd, and skopeo.
let control: TestControl;
let engine: Dockerd;
let dir: string;
let registry: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "flr-"));
  control = await startTestControl({ withAdmin: true });
  registry = `127.0.0.1:${control.port}`;
  engine = await startDockerd();
  await runCommand(["tar", "-C", "/bin", "-cf", join(dir, "root.tar"), "busybox"]);
  expect(await run(["import", join(dir, "root.tar"), "base:1"])).toMatchObject({ exitCode: 0 });
});
afterAll(async () => {
  await engine.close();
  await control.close();
  rmSync(dir, { recursive: true, force: true });
});

const run = (args: readonly string[], input = ""): Promise<CommandResult> =>
  docker(engine.host, args, { input, env: { HOME: dir, DOCKER_CONFIG: join(dir, "docker") } });
const skopeo = (args: readonly string[]): Promise<CommandResult> => runCommand(["skopeo", ...args], { env: { HOME: dir, TMPDIR: dir } });
const login = (user: string, password: string): Promise<CommandResult> =>
  run(["login", registry, "-u", user, "--password-stdin"], password);

describe("docker", () => {
  test("log in with e-mail and password, push, remove, pull, log out", async () => {
    expect(await login(ADMIN.email, ADMIN.password)).toMatchObject({ exitCode: 0 });
    await run(["tag", "base:1", `${registry}/team/base:1`]);
    expect(await run(["push", `${registry}/team/base:1`])).toMatchObject({ exitCode: 0, stderr: "" });
    const id = (await run(["image", "inspect", "--format", "{{.Id}}", "base:1"])).stdout;
    await run(["image", "rm", "-f", "base:1", `${registry}/team/base:1`]);
    const pulled = await run(["pull", `${registry}/team/base:1`]);
    expect(pulled).toMatchObject({ exitCode: 0 });
    expect((await run(["image", "inspect", "--format", "{{.Id}}", `${registry}/team/base:1`])).stdout).toBe(id);
    await run(["tag", `${registry}/team/base:1`, "base:1"]);
    expect(await run(["logout", registry])).toMatchObject({ exitCode: 0 });
    const refused = await run(["pull", `${registry}/team/base:1`]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/unauthorized|denied/);
  });

  test("log in with an API token; the same layers go into a second repository by a mount", async () => {
    expect(await login("any", ADMIN_TOKEN)).toMatchObject({ exitCode: 0 });
    await run(["tag", "base:1", `${registry}/team/second:1`]);
    const pushed = await run(["push", `${registry}/team/second:1`]);
    expect(pushed).toMatchObject({ exitCode: 0 });
    expect(pushed.stdout).toMatch(/Mounted from team\/base/);
  });

  test("wrong passwords, foreign names and names without a team are refused with a sentence", async () => {
    const refused = await login(ADMIN.email, "wrong password");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/incorrect username or password/);
    await login("any", ADMIN_TOKEN);
    await run(["tag", "base:1", `${registry}/nobody/app:1`]);
    const foreign = await run(["push", `${registry}/nobody/app:1`]);
    expect([foreign.exitCode, foreign.stderr]).toEqual([1, expect.stringMatching(/denied/)]);
    await run(["tag", "base:1", `${registry}/alone:1`]);
    const alone = await run(["push", `${registry}/alone:1`]);
    expect([alone.exitCode, alone.stderr]).toEqual([1, expect.stringMatching(/<team>\/<name>/)]);
  });

  test("a public repository is pulled without signing in", async () => {
    await control.call(
      "registry.repositories.update",
      { repository: "team/base", isPublic: true },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    await run(["logout", registry]);
    await run(["image", "rm", "-f", `${registry}/team/base:1`]);
    expect(await run(["pull", `${registry}/team/base:1`])).toMatchObject({ exitCode: 0 });
  });
});

describe("skopeo", () => {
  const tls = "--src-tls-verify=false";
  const creds = `any:${ADMIN_TOKEN}`;

  test("copies an image in and out, lists its tags, and deletes it", async () => {
    const out = `oci:${join(dir, "out")}:v1`;
    expect(await skopeo(["copy", tls, "--src-creds", creds, `docker://${registry}/team/base:1`, out])).toMatchObject({ exitCode: 0 });
    expect(await skopeo(["copy", "--dest-tls-verify=false", "--dest-creds", creds, out, `docker://${registry}/team/oci:v1`])).toMatchObject(
      { exitCode: 0 },
    );
    const inspected = await skopeo(["inspect", "--tls-verify=false", "--creds", creds, "--raw", `docker://${registry}/team/oci:v1`]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ mediaType: "application/vnd.oci.image.manifest.v1+json" });
    const tags = await skopeo(["list-tags", "--tls-verify=false", "--creds", creds, `docker://${registry}/team/oci`]);
    expect(JSON.parse(tags.stdout)).toMatchObject({ Tags: ["v1"] });
    expect(await skopeo(["delete", "--tls-verify=false", "--creds", creds, `docker://${registry}/team/oci:v1`])).toMatchObject({
      exitCode: 0,
    });
    expect((await skopeo(["inspect", "--tls-verify=false", "--creds", creds, `docker://${registry}/team/oci:v1`])).exitCode).not.toBe(0);
  });

  test("the dashboard sees what they pushed", async () => {
    const detail = (await control.call("registry.manifests.get", { repository: "team/base", reference: "1" }, { token: ADMIN_TOKEN })) as {
      layers: unknown[];
      history: unknown[];
      config: { os: string };
    };
    expect([detail.layers.length, detail.history.length, detail.config.os]).toEqual([1, 1, "linux"]);
    const tags = (await control.call("registry.tags.list", { repository: "team/base" }, { token: ADMIN_TOKEN })) as {
      name: string;
      pushedBy: string;
    }[];
    expect(tags).toMatchObject([{ name: "1", pushedBy: ADMIN.email }]);
  });
});
