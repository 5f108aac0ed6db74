import { describe, expect, test } from "vitest";
import { failureOf, load } from "./load-for-tests.ts";
import type { Service } from "./model.ts";

async function merged(base: string, over: string): Promise<Service> {
  const text = (keys: string): string =>
    `services: {web: {image: i, ${keys}}}\nnetworks: {a: {}, b: {}}\nvolumes: {v: {}, w: {}}\nsecrets: {s: {file: ./s}}`;
  const { project } = await load(text(base), { files: ["compose.yaml", "over.yaml"], others: { "over.yaml": text(over) } });
  const web = project.services["web"];
  if (web === undefined) throw new Error("no web");
  return web;
}

describe("a later file", () => {
  test.each<[string, string, string, Partial<Service>]>([
    ["replaces scalars", "hostname: a", "hostname: b", { hostname: "b" }],
    ["keeps what it does not say", "hostname: a", "tty: true", { hostname: "a", tty: true }],
    ["replaces commands", "command: [a, b]", "command: [c]", { command: ["c"] }],
    ["replaces entrypoints of the other form", "entrypoint: a b", "entrypoint: [c]", { entrypoint: ["c"] }],
    [
      "replaces the test of a health check and keeps its times",
      "healthcheck: {test: [CMD, a], retries: 3}",
      "healthcheck: {test: b}",
      { healthcheck: { test: ["CMD-SHELL", "b"], retries: 3 } },
    ],
    [
      "merges environments of both forms",
      "environment: [A=1, B=2]",
      "environment: {B: 3, C: null}",
      { environment: { A: "1", B: "3", C: null } },
    ],
    ["merges labels", "labels: {a: 1}", "labels: [b=2]", { labels: { a: "1", b: "2" } }],
    ["appends lists without repeating", "dns: 1.1.1.1", "dns: [8.8.8.8, 1.1.1.1]", { dns: ["1.1.1.1", "8.8.8.8"] }],
    ["appends capabilities", "cap_add: [A]", "cap_add: [B]", { capAdd: ["A", "B"] }],
    [
      "replaces the options of another logging driver",
      "logging: {driver: a, options: {x: y}}",
      "logging: {driver: b}",
      { logging: { driver: "b", options: {} } },
    ],
    [
      "merges the options of the same logging driver",
      "logging: {driver: a, options: {x: y}}",
      "logging: {options: {z: w}}",
      { logging: { driver: "a", options: { x: "y", z: "w" } } },
    ],
    [
      "takes away with !reset",
      "command: [a], environment: {A: 1, B: 2}",
      "command: !reset null, environment: {A: !reset null}",
      { environment: { B: "2" } },
    ],
    [
      "replaces with !override",
      "dns: [1.1.1.1], environment: {A: 1}",
      "dns: !override [8.8.8.8], environment: !override {B: 2}",
      { dns: ["8.8.8.8"], environment: { B: "2" } },
    ],
    ["keeps a mapping that it leaves empty", "environment: {A: 1}", "environment: ", { environment: { A: "1" } }],
    ["merges extensions", "x-a: {b: 1}", "x-a: {c: 2}", { extensions: { "x-a": { b: 1, c: 2 } } }],
  ])("%s", async (_name, base, over, expected) => {
    const web = await merged(base, over);
    for (const [key, value] of Object.entries(expected)) expect(web[key as keyof Service]).toEqual(value);
    if (over.includes("!reset")) expect(web.command).toBeUndefined();
  });

  test("adds ports, and the same port only once", async () => {
    const web = await merged("ports: ['80:80', '81:81']", "ports: ['80:80', '82:81', {target: 81, published: 81}]");
    expect(web.ports.map(({ published }) => published)).toEqual([80, 81, 82]);
  });

  test("puts another volume in the place of one with the same target", async () => {
    const web = await merged("volumes: ['v:/data', '/x']", "volumes: ['w:/data:ro']");
    expect(web.volumes).toEqual([
      { type: "volume", source: "w", target: "/data", isReadOnly: true, noCopy: false },
      { type: "volume", target: "/x", isReadOnly: false, noCopy: false },
    ]);
  });

  test("merges networks of both forms", async () => {
    const web = await merged("networks: [a]", "networks: {b: {aliases: [x]}}");
    expect(Object.keys(web.networks)).toEqual(["a", "b"]);
    expect(web.networks["b"]?.aliases).toEqual(["x"]);
  });

  test("merges dependencies of both forms", async () => {
    const base = "services: {web: {image: i, depends_on: [db]}, db: {image: i}}";
    const over = "services: {web: {depends_on: {db: {condition: service_healthy}}}}";
    const { project } = await load(base, { files: ["compose.yaml", "o.yaml"], others: { "o.yaml": over } });
    expect(project.services["web"]?.dependsOn["db"]).toEqual({ condition: "service_healthy", isRequired: true, restart: false });
  });

  test("merges builds of both forms", async () => {
    const web = await merged("build: ./dir", "build: {args: [A=1], target: t}");
    expect(web.build).toMatchObject({ context: "/app/dir", args: { A: "1" }, target: "t" });
  });

  test("the compose file's override and the documents of one file count as later files", async () => {
    const { project, files } = await load("services: {web: {image: a}}\n---\nservices: {web: {hostname: b}}", {
      others: { "compose.override.yaml": "services: {web: {image: c}}" },
    });
    expect(project.services["web"]).toMatchObject({ image: "c", hostname: "b" });
    expect(files).toEqual(["/app/compose.yaml", "/app/compose.override.yaml"]);
  });
});

describe("extends", () => {
  test("takes a service of the same file, over several steps", async () => {
    const { project } = await load(
      "services:\n  base: {image: a, environment: {A: 1, B: 1}, ports: ['1:1']}\n  mid: {extends: {service: base}, environment: {B: 2}, ports: !reset []}\n  web: {extends: mid, image: c}",
    );
    expect(project.services["web"]).toMatchObject({ image: "c", environment: { A: "1", B: "2" }, ports: [] });
    expect(project.services["base"]?.ports).toHaveLength(1);
  });

  test("takes a service of another file, whose paths are its own", async () => {
    const { project } = await load("services: {web: {extends: {file: ./lib/base.yaml, service: app}, volumes: ['./b:/b']}}", {
      others: { "lib/base.yaml": "services: {app: {build: ., volumes: ['./a:/a'], extends: {service: root}}, root: {user: u}}" },
    });
    expect(project.services["web"]).toMatchObject({
      user: "u",
      build: { context: "/app/lib" },
      volumes: [{ source: "/app/lib/a" }, { source: "/app/b" }],
    });
  });

  test.each([
    ["services: {web: {extends: {service: nope}}, base: {image: i}}", 'cannot extend service "nope": service not found'],
    ["services: {web: {extends: {service: bas}}, base: {image: i}}", "did you mean 'base'?"],
    ["services: {web: {extends: {service: x, file: no.yaml}}}", "open /app/no.yaml: no such file"],
    ["services: {web: {extends: {file: x.yaml}}}", "service is missing"],
    ["services: {a: {extends: b}, b: {extends: c}, c: {extends: b}}", "circular reference: b extends c extends b"],
  ])("%s is refused", async (text, expected) => {
    expect(await failureOf(text)).toContain(expected);
  });
});

describe("include", () => {
  const lib = "services: {db: {image: 'db:${TAG}', volumes: ['./data:/d', 'v:/v']}}\nvolumes: {v: {}}\n";

  test("takes in another project with its own directory and variables", async () => {
    const { project } = await load("include: [lib/compose.yaml]\nservices: {web: {image: i, depends_on: [db]}}", {
      others: { "lib/compose.yaml": lib, "lib/.env": "TAG=7" },
    });
    expect(project.services["db"]).toMatchObject({ image: "db:7", volumes: [{ source: "/app/lib/data" }, { source: "v" }] });
    expect(project.volumes["v"]?.name).toBe("app_v");
  });

  test("its long form names directory and variables; several paths are merged", async () => {
    const { project } = await load("include: [{path: [lib/a.yaml, lib/b.yaml], project_directory: ., env_file: my.env}]\nservices: {}", {
      others: { "lib/a.yaml": lib, "lib/b.yaml": "services: {db: {hostname: h}}", "my.env": "TAG=8" },
    });
    expect(project.services["db"]).toMatchObject({ image: "db:8", hostname: "h", volumes: [{ source: "/app/data" }, {}] });
  });

  test.each([
    [
      "include: [lib.yaml]\nservices: {db: {image: other}}",
      { "lib.yaml": "services: {db: {image: i}}" },
      "conflicts with the imported resource",
    ],
    ["include: [a.yaml]", { "a.yaml": "include: [b.yaml]", "b.yaml": "include: [a.yaml]" }, "include cycle detected"],
    ["include: [compose.yaml]", {}, "include cycle detected"],
    ["include: [no.yaml]", {}, "open /app/no.yaml: no such file"],
    ["include: [{project_directory: x}]", {}, "path is missing"],
  ])("%j is refused", async (text, others, expected) => {
    expect(await failureOf(text, { others: others as unknown as Record<string, string> })).toContain(expected);
  });
});
