import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { detectCgroups, listCgroups } from "../../agent/src/host/cgroup.ts";
import { Chaos } from "../fuzz/chaos.ts";
import { callAtRandom, chooseCall } from "../fuzz/engine-calls.ts";
import { tinyTar } from "../support/tiny-tar.ts";
import { type Answer, type AskOptions, startTunnelAgent, type TunnelAgent } from "../support/tunnel-agent.ts";

// Two teams on one host: `theirs` owns one of everything, `ours` tries every route of the engine with it.
const CANARY = "canary-7f3a";

let host: TunnelAgent;
const ask = (namespace: string, target: string, request?: AskOptions): Promise<Answer> => host.ask(namespace, target, request);
const must = (namespace: string, target: string, request?: AskOptions): Promise<Answer> => host.must(namespace, target, request);
const importImage = (namespace: string, repo: string, change: string): Promise<Answer> => host.importImage(namespace, repo, change);

/** What `theirs` has. */
const own = { container: "", exec: "", image: "", network: "", volume: `${CANARY}-volume` };

beforeAll(async () => {
  host = await startTunnelAgent();
  await importImage("ours", "busybox", "LABEL of=ours");
  await importImage("fuzz", "busybox", "LABEL of=fuzz");
  await importImage("theirs", `${CANARY}-image`, `LABEL secret=${CANARY}`);
  await must("theirs", "POST /volumes/create", { body: { Name: own.volume } });
  own.network = String((await must("theirs", "POST /networks/create", { body: { Name: `${CANARY}-network` } })).json["Id"]);
  const body = {
    Image: `${CANARY}-image`,
    Env: [`SECRET=${CANARY}`],
    HostConfig: { Binds: [`${own.volume}:/data`], NetworkMode: `${CANARY}-network`, IpcMode: "shareable" },
  };
  own.container = String((await must("theirs", `POST /containers/create?name=${CANARY}-container`, { body })).json["Id"]);
  await must("theirs", `POST /containers/${own.container}/start`);
  own.exec = String((await must("theirs", `POST /containers/${own.container}/exec`, { body: { Cmd: ["true"] } })).json["Id"]);
  own.image = String((await must("theirs", `GET /images/${CANARY}-image/json`)).json["Id"]);
});
afterAll(() => host?.close());

/** Everything about the objects of `theirs` that another's tries could have changed. */
async function fingerprint(): Promise<string> {
  const paths = [`/containers/${own.container}/json`, `/images/${own.image}/json`, `/networks/${own.network}`, `/volumes/${own.volume}`];
  const answers = await Promise.all(paths.map((path) => must("theirs", `GET ${path}`)));
  return answers.map((answer) => answer.text).join("\n");
}

/**
 * Routes that are about no object of a host: the registry's, families that are refused as a whole, and attach by
 * WebSocket, which the tunnel cannot carry (HTTP/2 has no such handshake).
 */
const ABOUT_NOTHING =
  /^\/(auth|images\/search|distribution\/|swarm|nodes|services|tasks|secrets|configs|plugins|_ping|version)|\/checkpoints|\/build\/cancel|\/attach\/ws/;
const REFS: readonly [RegExp, () => string[]][] = [
  [/^(\/flotilla\/v1)?\/containers\/:id/, () => [own.container, own.container.slice(0, 12), `${CANARY}-container`]],
  [/^\/exec\/:id/, () => [own.exec]],
  [
    /^(\/flotilla\/v1)?\/images\/:name\*/,
    () => [own.image, own.image.slice("sha256:".length, 19), `${CANARY}-image`, `${CANARY}-image:latest`],
  ],
  [/^\/networks\/:id/, () => [own.network, own.network.slice(0, 12), `${CANARY}-network`]],
  [/^\/volumes\/:name/, () => [own.volume]],
];
const QUERY = "?path=/&stdout=1&stream=0&h=24&w=80&name=other&repo=other&tag=other&signal=KILL&condition=not-running";

/** What any of these calls takes: what is refused is the object. */
const ANY_BODY = { Cmd: ["true"], target: "10.0.0.1", protocol: "tcp", port: 80, address: "10.0.0.1" };

test("attack 1: every route that names an object answers another namespace as if there were none", async () => {
  const before = await fingerprint();
  const named = host.agent.routes.filter(({ path }) => path.includes("/:") && !ABOUT_NOTHING.test(path));
  const wrong: string[] = [];
  let tries = 0;
  for (const { method, path } of named) {
    const refs = REFS.find(([pattern]) => pattern.test(path))?.[1]();
    if (refs === undefined) wrong.push(`${method} ${path}: this test knows no object for it`);
    for (const ref of refs ?? []) {
      const target = `${method} ${path.replace(/:\w+\*?/, encodeURIComponent(ref).replaceAll("%3A", ":"))}${QUERY}`;
      const answer = await ask("ours", target, method === "POST" ? { body: { Container: own.container, ...ANY_BODY } } : {});
      tries += 1;
      if (answer.status !== 404) wrong.push(`${target}: ${answer.status} ${answer.text.slice(0, 200)}`);
      if (answer.text.replaceAll(ref.replace(/:latest$/, ""), "").includes(CANARY))
        wrong.push(`${target} tells more than was asked: ${answer.text.slice(0, 200)}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(tries).toBeGreaterThan(60);
  expect(await fingerprint()).toBe(before);
});

test("attack 1: lists, figures, events and prunes of a namespace are about its own objects alone", async () => {
  const before = await fingerprint();
  const all = encodeURIComponent('{"all":["true"]}');
  const reads = [
    "GET /containers/json?all=1&size=1",
    "GET /images/json?all=1",
    "GET /flotilla/v1/images/usage",
    "GET /volumes",
    "GET /networks",
    "GET /info",
    "GET /system/df",
    "GET /events?since=0&until=1",
    `GET /images/get?names=${own.image.slice(7)}`,
    "POST /containers/prune",
    "POST /networks/prune",
    `POST /images/prune?filters=${encodeURIComponent('{"dangling":["false"]}')}`,
    `POST /volumes/prune?filters=${all}`,
    "POST /build/prune?all=1",
  ];
  // What these take is in their bodies and queries: the tests below.
  const makes = ["containers/create", "volumes/create", "networks/create", "images/create", "images/load", "commit", "build"];
  const known = new Set([...reads.map((target) => target.split("?")[0]), ...makes.map((path) => `POST /${path}`)]);
  const unnamed = host.agent.routes.filter(({ path }) => !path.includes("/:") && !ABOUT_NOTHING.test(path));
  expect(unnamed.map(({ method, path }) => `${method} ${path}`).filter((route) => !known.has(route))).toEqual([]);
  for (const target of reads) {
    const { text } = await ask("ours", target);
    for (const trace of [CANARY, own.container, own.network]) expect(text, target).not.toContain(trace);
    if (!target.includes(own.image.slice(7))) expect(text, target).not.toContain(own.image);
  }
  expect(await fingerprint()).toBe(before);
  expect((await must("ours", "GET /info")).json).toMatchObject({ Containers: 0, Images: 0 });
  await importImage("ours", "busybox", "LABEL of=ours");
});

test("events of one namespace are not heard in another, past or live", async () => {
  const now = Math.floor(Date.now() / 1000);
  const live = ask("ours", `GET /events?since=${now - 60}&until=${now + 2}`);
  await must("theirs", `POST /containers/${own.container}/exec`, { body: { Cmd: ["true"] } });
  await must("theirs", `POST /containers/${own.container}/restart?t=0`);
  expect((await live).text).not.toContain(CANARY);
});

describe("an image of another namespace is not to be used, whatever is known of it", () => {
  const build = async (namespace: string, dockerfile: string, query = ""): Promise<string> =>
    (await ask(namespace, `POST /build?${query}`, { body: tinyTar({ Dockerfile: dockerfile }) })).text;

  test("by id, short id, name or digest, for a container or a build", async () => {
    const hex = own.image.slice("sha256:".length);
    for (const Image of [own.image, hex, hex.slice(0, 12), `${CANARY}-image`, `${CANARY}-image@${own.image}`]) {
      expect((await ask("ours", "POST /containers/create", { body: { Image } })).status, Image).toBe(404);
    }
    for (const from of [own.image, hex.slice(0, 12)])
      expect(await build("ours", `FROM ${from}\nLABEL x=y\n`)).not.toContain("Successfully built");
    expect(await build("ours", `FROM busybox\nCOPY --from=${own.image} /bin/busybox /x\n`)).not.toContain("Successfully built");
  });

  test("as a cache: neither named nor by chance", async () => {
    const steps = `FROM busybox\nRUN echo ${CANARY} > /made\n`;
    const made = /Successfully built ([0-9a-f]{12})/.exec(await build("theirs", steps.replace("busybox", `${CANARY}-image`), "t=cached"));
    expect(made).not.toBeNull();
    for (const query of [
      "",
      `cachefrom=${encodeURIComponent('["cached"]')}`,
      `cachefrom=${encodeURIComponent(`["${made?.[1] ?? ""}"]`)}`,
    ]) {
      const text = await build("ours", steps, query);
      if (query === "") expect(text).not.toContain("Using cache");
      expect(text).not.toContain(made?.[1] ?? "none");
    }
  });

  test("by loading an archive that only names its layers", async () => {
    const layers = ((await must("theirs", `GET /images/${CANARY}-image/json`)).json["RootFS"] as { Layers: string[] }).Layers;
    const config = JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: layers } });
    const manifest = JSON.stringify([{ Config: "c.json", RepoTags: ["stolen:1"], Layers: layers.map((_, at) => `${at}/layer.tar`) }]);
    const { text } = await ask("ours", "POST /images/load", { body: tinyTar({ "manifest.json": manifest, "c.json": config }) });
    expect(text).toMatch(/error|message/i);
    const empty = Object.fromEntries(layers.map((_, at) => [`${at}/layer.tar`, ""]));
    await ask("ours", "POST /images/load", { body: tinyTar({ "manifest.json": manifest, "c.json": config, ...empty }) });
    expect((await ask("ours", "GET /images/stolen:1/json")).status).toBe(404);
  });
});

test("fuzz: calls at random are answered, and none by an error of ours", async () => {
  const before = await fingerprint();
  const wrong: string[] = [];
  let done = 0;
  for (let seed = 0; seed < 400; seed += 1) {
    const answer = await callAtRandom(host, "fuzz", chooseCall(host, new Chaos(seed)));
    if (answer.wrong !== undefined) wrong.push(`seed ${seed}: ${answer.wrong}`);
    if (answer.status < 300) done += 1;
  }
  expect(done).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
  expect(await fingerprint()).toBe(before);
});

describe("attack 7: objects of another namespace by the way of one's own", () => {
  test.each([
    ["--network container:", () => ({ NetworkMode: `container:${own.container}` })],
    ["--network container: by name", () => ({ NetworkMode: `container:${CANARY}-container` })],
    ["--pid container:", () => ({ PidMode: `container:${own.container}` })],
    ["--ipc container:", () => ({ IpcMode: `container:${own.container}` })],
    ["--volumes-from", () => ({ VolumesFrom: [own.container] })],
    ["--network", () => ({ NetworkMode: own.network })],
    ["--network by name", () => ({ NetworkMode: `${CANARY}-network` })],
  ] as [string, () => Record<string, unknown>][])("%s reaches nobody", async (_title, hostConfig) => {
    const answer = await ask("ours", "POST /containers/create", { body: { Image: "busybox", HostConfig: hostConfig() } });
    expect([400, 404]).toContain(answer.status);
    expect(answer.text).toMatch(/No such container|not found/);
    expect(JSON.parse((await ask("ours", "GET /containers/json?all=1")).text)).toEqual([]);
  });

  test("--link to another's container is refused or without effect", async () => {
    const body = { Image: "busybox", HostConfig: { Links: [`${CANARY}-container:db`] } };
    const answer = await ask("ours", "POST /containers/create?name=linked", { body });
    if (answer.status === 201) {
      await must("ours", "POST /containers/linked/start");
      const hosts = await ask("ours", "GET /containers/linked/archive?path=/etc/hosts");
      await must("ours", "DELETE /containers/linked?force=1");
      expect(hosts.text).not.toMatch(/\tdb\b/);
    } else expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  test("a volume of the same name is another volume", async () => {
    const body = { Image: "busybox", Cmd: ["ls", "/data"], HostConfig: { Binds: [`${own.volume}:/data`] } };
    await must("ours", "POST /containers/create?name=same", { body });
    const ourPath = (await must("ours", `GET /volumes/${own.volume}`)).json["Mountpoint"];
    expect(ourPath).not.toBe((await must("theirs", `GET /volumes/${own.volume}`)).json["Mountpoint"]);
    await must("ours", "DELETE /containers/same?force=1");
    await must("ours", `DELETE /volumes/${own.volume}`);
    expect((await ask("theirs", `GET /volumes/${own.volume}`)).status).toBe(200);
  });

  test("another's container is not put on one's own network, and not committed", async () => {
    await must("ours", "POST /networks/create", { body: { Name: "mine" } });
    for (const verb of ["connect", "disconnect"])
      expect((await ask("ours", `POST /networks/mine/${verb}`, { body: { Container: own.container, Force: true } })).status).toBe(404);
    await must("ours", "DELETE /networks/mine");
    expect((await ask("ours", `POST /commit?container=${own.container}&repo=stolen`, { body: {} })).status).toBe(404);
  });

  test("a cgroup parent that climbs stays below its namespace's own", async () => {
    const body = { Image: "busybox", HostConfig: { CgroupParent: "/../../../../" } };
    const { Id } = (await must("ours", "POST /containers/create?name=climber", { body })).json;
    await must("ours", "POST /containers/climber/start");
    expect(listCgroups(detectCgroups(), `/flotilla-${host.config.instance}/ns-ours`).some((path) => path.includes(String(Id)))).toBe(true);
    await must("ours", "DELETE /containers/climber?force=1");
  });
});
