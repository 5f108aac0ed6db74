import { describe, expect, test } from "vitest";
import { failureOf, load, warningsOf, withWeb } from "../load-for-tests.ts";
import { findCycle, dependencyOrder, withDependencies } from "../dependency-order.ts";

const ONE = "services: {web: {image: i}}";

describe("names", () => {
  test("of objects begin with the project's unless the file gives them", async () => {
    const { project } = await load(
      "name: shop\nservices: {web: {build: ., networks: [a, default, e], volumes: ['v:/v', 'w:/w']}}\nnetworks: {a: , e: {external: true}}\nvolumes: {v: , w: {name: mine}}",
    );
    expect(project.services["web"]?.image).toBe("shop-web");
    expect(Object.entries(project.networks).map(([key, { name }]) => [key, name])).toEqual([
      ["a", "shop_a"],
      ["e", "e"],
      ["default", "shop_default"],
    ]);
    expect(Object.entries(project.volumes).map(([key, { name }]) => [key, name])).toEqual([
      ["v", "shop_v"],
      ["w", "mine"],
    ]);
  });

  test("the old form of an external network is understood", async () => {
    const { project } = await load(`${withWeb("networks: [e]")}networks: {e: {external: {name: real}}}`);
    expect(project.networks["e"]).toMatchObject({ name: "real", isExternal: true });
  });

  test.each<[string, Parameters<typeof load>[1], string]>([
    [ONE, {}, "app"],
    [`name: fromfile\n${ONE}`, {}, "fromfile"],
    [`name: n-\${TAG}\n${ONE}`, { environment: { TAG: "1" } }, "n-1"],
    [`name: fromfile\n${ONE}`, { environment: { COMPOSE_PROJECT_NAME: "fromenv" } }, "fromenv"],
    [ONE, { others: { ".env": "COMPOSE_PROJECT_NAME=dotenv" } }, "dotenv"],
    [`name: fromfile\n${ONE}`, { projectName: "given", environment: { COMPOSE_PROJECT_NAME: "x" } }, "given"],
    [ONE, { projectDirectory: "/srv/My App_1" }, "myapp_1"],
  ])("the project's: %s with %j is %s", async (text, given, expected) => {
    const files = given?.projectDirectory === undefined ? {} : { files: ["compose.yaml"] };
    expect((await load(text, { ...given, ...files })).project.name).toBe(expected);
  });

  test("the name is a variable of the file", async () => {
    const { project } = await load("name: shop\nservices: {web: {image: 'r/${COMPOSE_PROJECT_NAME}'}}");
    expect(project.services["web"]?.image).toBe("r/shop");
  });

  test.each([
    [{ projectName: "Shop" }, 'invalid project name "Shop"'],
    [{ projectName: "-a" }, 'invalid project name "-a"'],
    [{ files: ["compose.yaml"], projectDirectory: "/___" }, "gives no project name"],
  ])("%j is refused", async (given, expected) => {
    expect(await failureOf(ONE, given)).toContain(expected);
  });
});

describe("files", () => {
  test("are looked for in the directories above", async () => {
    const { files, projectDirectory } = await load(ONE, { workingDir: "/app/deep/down" });
    expect([files, projectDirectory]).toEqual([["/app/compose.yaml"], "/app"]);
  });

  test("are named by COMPOSE_FILE", async () => {
    const { files } = await load("", { others: { "a.yaml": ONE, "b.yaml": ONE }, environment: { COMPOSE_FILE: "a.yaml:b.yaml" } });
    expect(files).toEqual(["/app/a.yaml", "/app/b.yaml"]);
  });

  test.each([
    ["none", { workingDir: "/elsewhere" }, "no configuration file provided: not found"],
    ["one that is not there", { files: ["no.yaml"] }, "open /app/no.yaml: no such file"],
    ["a missing --env-file", { envFiles: ["no.env"] }, "couldn't find env file: /app/no.env"],
  ])("%s", async (_name, given, expected) => {
    expect(await failureOf(ONE, given)).toContain(expected);
  });

  test.each([
    ["", "empty compose file"],
    ["[1]", "1:1: the top level of a compose file must be a mapping"],
    ["services: 5", "1:11: services: must be a mapping"],
    ["services: {web: 5}", "services.web: must be a mapping"],
    ["services: {'a b': {image: i}}", "'a b' is no name"],
    ["service:\n  web: {image: i}", "1:1: additional properties 'service' not allowed; did you mean 'services'?"],
    ["services: {web: {}}", 'service "web" has neither an image nor a build context specified'],
    ["services: {web: {image: i}}\nvolume: {}", "2:1: additional properties 'volume' not allowed; did you mean 'volumes'?"],
    ["services: {web: {image: i, secrets: [s]}}\nsecrets: {s: {}}", "needs exactly one of file, environment and external"],
    ["services: {web: {image: i}}\nconfigs: {c: {file: a, content: b}}", "needs exactly one of file, environment, content and external"],
  ])("%j is refused", async (text, expected) => {
    expect(await failureOf(text)).toContain(expected);
  });

  test("env_file gives variables, later ones win, the service's own win over all", async () => {
    const keys = "env_file: [a.env, {path: b.env}, {path: no.env, required: false}, {path: raw.env, format: raw}]\nenvironment: {C: own}";
    const { project } = await load(withWeb(keys), {
      others: { "a.env": "A=1\nB=1\nC=1", "b.env": "B=2\nD=$A", "raw.env": "R=$A" },
      environment: { A: "s" },
    });
    expect(project.services["web"]?.environment).toEqual({ A: "1", B: "2", C: "own", D: "s", R: "$A" });
    expect(await failureOf(withWeb("env_file: no.env"))).toBe(
      "4:5: services.web.env_file: file /app/no.env not found".replace("4:5", "4:15"),
    );
  });

  test("label_file gives labels", async () => {
    const { project } = await load(withWeb("label_file: l\nlabels: {b: own}"), { others: { l: "a=1\nb=1" } });
    expect(project.services["web"]?.labels).toEqual({ a: "1", b: "own" });
  });

  test("a key has its place, also behind a merge", async () => {
    const { positionOf } = await load(withWeb("volumes:\n  - /x"), {
      files: ["compose.yaml", "o.yaml"],
      others: { "o.yaml": "services:\n  web:\n    tty: true" },
    });
    expect(positionOf("services.web.volumes.0")).toEqual({ file: "/app/compose.yaml", line: 5, column: 9 });
    expect(positionOf("services.web.tty")).toEqual({ file: "/app/o.yaml", line: 3, column: 5 });
    expect(positionOf("services.web.nothing")).toMatchObject({ line: 2 });
  });
});

describe("profiles", () => {
  const text =
    "services: {web: {image: i}, dbg: {image: i, profiles: [debug], depends_on: [tool]}, tool: {image: i, profiles: [debug, x]}}";
  test.each<[Parameters<typeof load>[1], string[]]>([
    [{}, ["web"]],
    [{ profiles: ["debug"] }, ["web", "dbg", "tool"]],
    [{ profiles: ["x"] }, ["web", "tool"]],
    [{ profiles: ["*"] }, ["web", "dbg", "tool"]],
    [{ environment: { COMPOSE_PROFILES: "x, debug" } }, ["web", "dbg", "tool"]],
    [{ services: ["dbg"] }, ["web", "dbg", "tool"]],
  ])("%j", async (given, expected) => {
    const { project, disabledServices } = await load(text, given);
    expect(Object.keys(project.services)).toEqual(expected);
    expect(Object.keys(disabledServices)).toEqual(["web", "dbg", "tool"].filter((name) => !expected.includes(name)));
  });

  test("a dependency that no profile enables is a mistake, an optional one a warning", async () => {
    const of = (required: boolean): string =>
      `services: {web: {image: i, depends_on: {dbg: {required: ${required}}}}, dbg: {image: i, profiles: [p]}}`;
    expect(await failureOf(of(true))).toContain('depends on "dbg", which no active profile enables');
    expect(await warningsOf(of(false))).toEqual(['services.web.depends_on: optional dependency "dbg" is not available']);
  });
});

describe("checks of the whole", () => {
  test.each([
    [
      "services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [c]}, c: {image: i, depends_on: [a]}}",
      "dependency cycle detected: a -> b -> c -> a",
    ],
    ["services: {a: {image: i, depends_on: [a]}}", "dependency cycle detected: a -> a"],
    ["services: {a: {image: i, links: [b]}, b: {image: i, network_mode: 'service:a'}}", "dependency cycle detected"],
    ["services: {web: {image: i, depends_on: [dbb]}, db: {image: i}}", "depends on undefined service dbb; did you mean 'db'?"],
    ["services: {a: {image: i, ports: ['80:1']}, b: {image: i, ports: ['80:2']}}", 'services "a" and "b" both publish host port 80/tcp'],
    ["services: {a: {image: i, ports: ['127.0.0.1:80:1']}, b: {image: i, ports: ['80:2']}}", "both publish host port 80/tcp"],
    ["services: {a: {image: i, ports: ['80:1', '80:2']}}", 'service "a" publishes host port 80/tcp twice'],
    [
      "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {driver: host}}",
      "2:16: networks.n.driver: a network of driver host cannot be made",
    ],
    ["services: {a: {image: i, container_name: n}, b: {image: i, container_name: n}}", 'both have the container name "n"'],
  ])("%s is refused", async (text, expected) => {
    expect(await failureOf(text)).toContain(expected);
  });

  test.each([
    "services: {a: {image: i, ports: ['80:1']}, b: {image: i, ports: ['80:1/udp']}}",
    "services: {a: {image: i, ports: ['127.0.0.1:80:1']}, b: {image: i, ports: ['127.0.0.2:80:1']}}",
    "services: {a: {image: i, ports: ['80-90:1']}, b: {image: i, ports: ['80-90:1']}}",
  ])("%s is right", async (text) => {
    expect(Object.keys((await load(text)).project.services)).toEqual(["a", "b"]);
  });

  test("a service named on the command line must exist", async () => {
    expect(await failureOf(ONE, { services: ["wen"] })).toContain("no such service: wen; did you mean 'web'?");
  });

  test("replicas of one host cannot share a host port; on many hosts they can", async () => {
    const text = withWeb("scale: 2\nports: ['80:80']");
    expect(await warningsOf(text, { target: "host" })).toEqual([expect.stringContaining("2 replicas cannot all publish host port 80/tcp")]);
    expect(await warningsOf(text)).toEqual([]);
  });
});

test("a fixed address of one host needs a subnet", async () => {
  const of = (network: string): string => `${withWeb("networks: {n: {ipv4_address: 10.0.0.2}}")}networks: {n: ${network}}`;
  expect(await failureOf(of("{}"), { target: "host" })).toContain(
    "4:20: services.web.networks.n.ipv4_address: a fixed address needs a subnet",
  );
  expect(await warningsOf(of("{ipam: {config: [{subnet: 10.0.0.0/24}]}}"), { target: "host" })).toEqual([]);
  expect(await warningsOf(of("{external: true}"), { target: "host" })).toEqual([]);
});

describe("order of dependencies", () => {
  const of = (edges: Record<string, string[]>): Record<string, { dependsOn: Record<string, never> }> =>
    Object.fromEntries(
      Object.entries(edges).map(([name, others]) => [name, { dependsOn: Object.fromEntries(others.map((other) => [other, {} as never])) }]),
    );

  test("each comes behind what it needs, else in the file's order", () => {
    expect(dependencyOrder(of({ web: ["api"], api: ["db"], x: [], db: [] }))).toEqual(["x", "db", "api", "web"]);
  });

  test("a diamond has no cycle, a circle has", () => {
    expect(findCycle(of({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }))).toBeUndefined();
    expect(findCycle(of({ a: ["b"], b: ["c"], c: ["b"] }))).toEqual(["b", "c"]);
  });

  test("a service is taken with all that it needs", () => {
    expect([...withDependencies(of({ web: ["api"], api: ["db"], x: [], db: [] }), ["api"])].sort()).toEqual(["api", "db"]);
  });
});
