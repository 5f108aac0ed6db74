import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guardAllow } from "@flotilla/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controllerDir, detectCgroups, listCgroups } from "../../agent/src/host/cgroup.ts";
import { tinyTar } from "../support/tiny-tar.ts";
import { type Answer, startTunnelAgent, type TunnelAgent } from "../support/tunnel-agent.ts";

// What teams may do on a host, by the agent's own doors. `plain` has no guard rail, so the safe default; `shop` has one; and an
// instance administrator is whom the control plane says so of.
const EXEMPT = { "x-flotilla-exempt": "1" };
const MIB = 1024 * 1024;

let host: TunnelAgent;
beforeAll(async () => {
  host = await startTunnelAgent({
    guards: (dir) => {
      mkdirSync(join(dir, "srv/shop/data"), { recursive: true });
      writeFileSync(join(dir, "srv/shop/data/file"), "of the shop");
      writeFileSync(join(dir, "secret"), "canary-of-machine");
      symlinkSync(join(dir, "secret"), join(dir, "srv/shop/link"));
      const limits = { containers: 2, cpus: 1, memoryBytes: 256 * MIB, hostPorts: [[38_000, 38_010] as [number, number]] };
      const allow = guardAllow.parse({ capabilities: ["CAP_NET_ADMIN"], binds: [join(dir, "srv/shop")], devices: ["/dev/zero"] });
      return [{ namespace: "shop", limits, allow }];
    },
  });
  await host.importImage("plain", "busybox", "LABEL of=plain");
  await host.importImage("shop", "busybox", "LABEL of=shop");
});
afterAll(() => host?.close());

const create = (namespace: string, hostConfig: object, more: { headers?: Record<string, string>; body?: object } = {}): Promise<Answer> =>
  host.ask(namespace, "POST /containers/create", {
    body: { Image: "busybox", HostConfig: hostConfig, ...more.body },
    ...(more.headers === undefined ? {} : { headers: more.headers }),
  });

async function remove(namespace: string, ...answers: Answer[]): Promise<void> {
  for (const { json } of answers) await host.must(namespace, `DELETE /containers/${String(json["Id"])}?force=1&v=1`);
}

const listed = async (namespace: string): Promise<number> =>
  (JSON.parse((await host.must(namespace, "GET /containers/json?all=1")).text) as unknown[]).length;

describe("attack 7: without a guard rail a namespace has Docker's defaults", () => {
  test.each<[string, object]>([
    ["privileged", { Privileged: true }],
    ["capabilities", { CapAdd: ["SYS_ADMIN"] }],
    ["capabilities", { CapAdd: ["ALL"] }],
    ["devices", { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "rwm" }] }],
    ["devices", { Devices: [{ PathOnHost: "/dev/there-is-none", PathInContainer: "/dev/x", CgroupPermissions: "rwm" }] }],
    ["devices", { DeviceCgroupRules: ["b 8:* rwm"] }],
    ["hostNetwork", { NetworkMode: "host" }],
    ["hostPid", { PidMode: "host" }],
    ["hostIpc", { IpcMode: "host" }],
    ["hostUts", { UTSMode: "host" }],
    ["seccompUnconfined", { SecurityOpt: ["seccomp=unconfined"] }],
    ["unmaskedPaths", { MaskedPaths: [], ReadonlyPaths: [] }],
    ["sysctls", { Sysctls: { "kernel.core_pattern": "|/x" } }],
    ["oomProtection", { OomScoreAdj: -1000 }],
    ["binds", { Binds: ["/:/host"] }],
    ["binds", { Binds: ["/etc/../etc/shadow:/shadow:ro"] }],
    ["binds", { Binds: ["/there/is/none:/x"] }],
    ["binds", { Mounts: [{ Type: "bind", Source: "/var/run/docker.sock", Target: "/s" }] }],
    ["binds", { Mounts: [{ Type: "bind", Source: "/proc/1/root", Target: "/s" }] }],
    ["sharedMounts", { Binds: ["/:/host:rshared"] }],
  ])("%s: %j is refused, and nothing is made", async (rule, hostConfig) => {
    const answer = await create("plain", hostConfig);
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 403, text: expect.stringContaining(`(${rule})`) });
    expect(answer.json["message"]).toMatch(
      /^the guard rails of this host do not allow plain: .+; an instance administrator can change that/,
    );
    expect(await listed("plain")).toBe(0);
  });

  test("what is there on the host is not to be found out by a refusal", async () => {
    const answers = await Promise.all(["/etc/shadow", "/etc/shadow-not-there"].map((path) => create("plain", { Binds: [`${path}:/x`] })));
    const texts = answers.map(({ text }) => text.replaceAll("-not-there", ""));
    expect(texts[0]).toBe(texts[1]);
  });

  test("a volume with a bind in its options is none", async () => {
    const body = { Name: "sly", DriverOpts: { type: "none", o: "bind", device: "/" } };
    expect((await host.ask("plain", "POST /volumes/create", { body })).status).toBe(501);
    const options = { DriverConfig: { Name: "local", Options: body.DriverOpts } };
    const answer = await create("plain", { Mounts: [{ Type: "volume", Source: "sly", Target: "/x", VolumeOptions: options }] });
    expect(answer.status).toBe(501);
    expect(await listed("plain")).toBe(0);
  });

  test("an update gives no more than a create", async () => {
    const made = await create("plain", {});
    const update = { body: { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "rwm" }] } };
    const path = `/containers/${String(made.json["Id"])}`;
    expect(await host.ask("plain", `POST ${path}/update`, update)).toMatchObject({
      status: 403,
      text: expect.stringContaining("(devices)"),
    });
    expect((await host.must("plain", `POST ${path}/update`, { body: { Memory: 64 * MIB } })).status).toBe(200);
    expect((await host.must("plain", `POST ${path}/start`)).status).toBe(204);
    const exec = { body: { Cmd: ["id"], Privileged: true } };
    expect(await host.ask("plain", `POST ${path}/exec`, exec)).toMatchObject({
      status: 403,
      text: expect.stringContaining("(privileged)"),
    });
    expect((await host.must("plain", `POST ${path}/exec`, { body: { Cmd: ["id"], User: "0" } })).status).toBe(201);
    await remove("plain", made);
  });

  test("the word of a caller that it is exempt counts as the control plane's header alone", async () => {
    const answer = await create("plain", { Privileged: true }, { headers: { "x-flotilla-exempt": "yes" } });
    expect(answer.status).toBe(403);
  });
});

describe("an administrator's container", () => {
  test("stays startable by the team, who cannot enter it, change it, or take over what it has", async () => {
    const hostConfig = { PidMode: "host", NetworkMode: "host", IpcMode: "host", Binds: [`${host.dir}/secret:/secret`] };
    const made = await create("plain", hostConfig, { headers: EXEMPT, body: { AttachStdin: true, OpenStdin: true } });
    const id = String(made.json["Id"]);
    expect(made.status).toBe(201);
    expect((await host.must("plain", `POST /containers/${id}/start`)).status).toBe(204);
    const entries = [
      [`POST /containers/${id}/exec`, { Cmd: ["id"] }],
      [`POST /containers/${id}/attach?stream=1&stdin=1`, undefined],
      [`GET /containers/${id}/archive?path=/secret`, undefined],
      [`PUT /containers/${id}/archive?path=/`, Buffer.alloc(1024)],
      [`HEAD /containers/${id}/archive?path=/secret`, undefined],
      [`POST /containers/${id}/update`, { Memory: 64 * MIB }],
    ] as const;
    for (const [target, body] of entries) {
      const answer = await host.ask("plain", target, body === undefined ? {} : { body });
      expect(answer.status, target).toBe(403);
      expect(answer.text, target).not.toContain("canary-of-machine");
    }
    const made2 = await host.must("plain", `POST /containers/${id}/exec`, { body: { Cmd: ["id"] }, headers: EXEMPT });
    expect((await host.ask("plain", `POST /exec/${String(made2.json["Id"])}/start`, { body: { Detach: true } })).status).toBe(403);
    const joins: readonly [string, object][] = [
      ["hostPid", { PidMode: `container:${id}` }],
      ["hostNetwork", { NetworkMode: `container:${id}` }],
      ["hostIpc", { IpcMode: `container:${id}` }],
      ["binds", { VolumesFrom: [id] }],
    ];
    for (const [rule, joining] of joins) {
      expect(await create("plain", joining), rule).toMatchObject({ status: 403, text: expect.stringContaining(`(${rule})`) });
    }
    await host.must("plain", `POST /containers/${id}/stop?t=0`);
    expect((await host.ask("plain", `GET /containers/${id}/archive?path=/secret`)).status).toBe(403);
    await remove("plain", made);
  });

  test("what an administrator gave by an update is not taken back by the next start", async () => {
    const made = await create("plain", {});
    const path = `/containers/${String(made.json["Id"])}`;
    const device = { PathOnHost: "/dev/null", PathInContainer: "/dev/given", CgroupPermissions: "rwm" };
    await host.must("plain", `POST ${path}/update`, { body: { Devices: [device] }, headers: EXEMPT });
    expect((await host.must("plain", `POST ${path}/start`)).status).toBe(204);
    await remove("plain", made);
  });
});

describe("a guard rail", () => {
  test("allows what it names", async () => {
    const device = { PathOnHost: "/dev/zero", PathInContainer: "/dev/zero2", CgroupPermissions: "r" };
    const hostConfig = { CapAdd: ["NET_ADMIN"], Devices: [device], Binds: [`${host.dir}/srv/shop/data:/data`] };
    const made = await create("shop", hostConfig, { body: { Cmd: ["sh", "-c", "ip link set lo down && cat /data/file"] } });
    expect(made.status).toBe(201);
    const id = String(made.json["Id"]);
    await host.must("shop", `POST /containers/${id}/start`);
    expect((await host.must("shop", `POST /containers/${id}/wait`)).json["StatusCode"]).toBe(0);
    expect((await host.must("shop", `GET /containers/${id}/logs?stdout=1`)).text).toContain("of the shop");
    expect((await host.must("shop", `GET /containers/${id}/archive?path=/data/file`)).text).toContain("of the shop");
    await remove("shop", made);
  });

  test("counts where a mount leads: at create, at start, and when files are copied", async () => {
    expect(await create("shop", { Binds: [`${host.dir}/srv/shop/link:/x`] })).toMatchObject({ status: 403 });
    expect(await create("shop", { Binds: [`${host.dir}/srv/shop/none:/x`] })).toMatchObject({ status: 403 });
    const made = await create("shop", { Binds: [`${host.dir}/srv/shop/data:/data`] });
    const id = String(made.json["Id"]);
    // What a container could do that has the directory above.
    rmSync(join(host.dir, "srv/shop/data"), { recursive: true });
    symlinkSync(host.dir, join(host.dir, "srv/shop/data"));
    const start = await host.ask("shop", `POST /containers/${id}/start`);
    expect(start).toMatchObject({ status: 403, text: expect.stringContaining("(binds)") });
    const copy = await host.ask("shop", `GET /containers/${id}/archive?path=/data/secret`);
    expect(copy.status).toBe(403);
    expect(copy.text).not.toContain("canary-of-machine");
    rmSync(join(host.dir, "srv/shop/data"));
    mkdirSync(join(host.dir, "srv/shop/data"));
    expect((await host.must("shop", `POST /containers/${id}/start`)).status).toBe(204);
    await remove("shop", made);
  });

  test("a link inside a volume leads nowhere but into the volume", async () => {
    const plant = await create("plain", { Binds: ["sly:/v"] }, { body: { Cmd: ["ln", "-s", "/", "/v/out"] } });
    await host.must("plain", `POST /containers/${String(plant.json["Id"])}/start`);
    await host.must("plain", `POST /containers/${String(plant.json["Id"])}/wait`);
    const mount = { Type: "volume", Source: "sly", Target: "/m", VolumeOptions: { Subpath: "out" } };
    const made = await create("plain", { Mounts: [mount] }, { body: { Cmd: ["ls", "/m"] } });
    const id = String(made.json["Id"]);
    const secret = await host.ask("plain", `GET /containers/${id}/archive?path=/m${host.dir}/secret`);
    expect(secret.status).toBeGreaterThanOrEqual(400);
    expect(secret.text).not.toContain("canary-of-machine");
    await host.must("plain", `POST /containers/${id}/start`);
    await host.must("plain", `POST /containers/${id}/wait`);
    expect((await host.must("plain", `GET /containers/${id}/logs?stdout=1`)).text).toMatch(/out\n$/);
    await remove("plain", plant, made);
    await host.must("plain", "DELETE /volumes/sly");
  });

  test("limits containers, ports, and what one of them may ask for", async () => {
    expect(await create("shop", { Memory: 512 * MIB })).toMatchObject({
      status: 403,
      text: expect.stringContaining("more than the 268435456"),
    });
    expect(await create("shop", { NanoCpus: 2e9 })).toMatchObject({
      status: 403,
      text: expect.stringContaining("2 CPUs are more than the 1"),
    });
    const bindings = (port: string): object => ({ PortBindings: { "80/tcp": [{ HostPort: port }] } });
    expect(await create("shop", bindings("80"))).toMatchObject({ status: 403, text: expect.stringContaining("may publish 38000-38010") });
    const chosen = await create("shop", bindings(""));
    const id = String(chosen.json["Id"]);
    await host.must("shop", `POST /containers/${id}/start`);
    const ports = (await host.must("shop", `GET /containers/${id}/json`)).text;
    const hostPort = Number(/"HostPort":"(\d+)"/.exec(ports.slice(ports.indexOf('"NetworkSettings"')))?.[1]);
    expect(hostPort).toBeGreaterThanOrEqual(38_000);
    expect(hostPort).toBeLessThanOrEqual(38_010);
    const second = await create("shop", {});
    expect(await create("shop", {})).toMatchObject({
      status: 409,
      text: expect.stringContaining("shop has 2 containers, of 2 that it may have on this host"),
    });
    expect((await create("shop", {}, { headers: EXEMPT })).status).toBe(201);
    expect(await listed("shop")).toBe(3);
    const list = JSON.parse((await host.must("shop", "GET /containers/json?all=1")).text) as { Id: string }[];
    await remove("shop", ...list.map(({ Id }) => ({ status: 201, text: "", json: { Id } })));
    expect(second.status).toBe(201);
  });

  test("holds a namespace's containers together in one cgroup, which goes with the last of them", async () => {
    const layout = detectCgroups();
    const parent = `/flotilla-${host.config.instance}`;
    const [one, other] = [await create("shop", {}), await create("plain", { CgroupParent: "../../batch" })];
    const ids = [String(one.json["Id"]), String(other.json["Id"])];
    await host.must("shop", `POST /containers/${ids[0]}/start`);
    await host.must("plain", `POST /containers/${ids[1]}/start`);
    expect(listCgroups(layout, `${parent}/ns-shop`)).toEqual([ids[0]]);
    expect(listCgroups(layout, `${parent}/ns-plain/batch`)).toEqual([ids[1]]);
    const read = (controller: string, file: string): string =>
      readFileSync(join(controllerDir(layout, controller, `${parent}/ns-shop`) ?? "", file), "utf8").trim();
    const isV2 = layout.mode === "v2";
    expect(isV2 ? read("memory", "memory.max") : read("memory", "memory.limit_in_bytes")).toBe(String(256 * MIB));
    expect(isV2 ? read("cpu", "cpu.max") : read("cpu", "cpu.cfs_quota_us")).toBe(isV2 ? "100000 100000" : "100000");
    await remove("shop", one);
    await remove("plain", other);
    expect(listCgroups(layout, parent)).toEqual([]);
  });
});

test("attack 7: RUN is bound as a container is, and its own mounts are no binds", async () => {
  const build = async (dockerfile: string, query = ""): Promise<string> => {
    const tar = tinyTar({ Dockerfile: dockerfile });
    return (await host.must("plain", `POST /build?rm=1&forcerm=1${query}`, { body: tar })).text;
  };
  const mount = "RUN --mount=type=cache,target=/c --mount=type=bind,target=/ctx test -f /ctx/Dockerfile";
  expect(await build(`FROM busybox\n${mount}\n`)).toContain("Successfully built");
  expect(await build("FROM busybox\nRUN id\n", "&networkmode=host")).toMatch(
    /guard rails of this host do not allow plain: the host's network/,
  );
  expect(await build("FROM busybox\nRUN --network=host id\n")).toMatch(/"error":".*(hostNetwork|not allowed)/);
  expect(await listed("plain")).toBe(0);
});
