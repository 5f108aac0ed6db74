import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCycles, readImportGraph } from "./import-graph.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const graph = readImportGraph(ROOT);

/** Which of our packages each part may import. What is not listed may import none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "packages/core": [],
  "packages/image": ["core"],
  "packages/dockerfile": ["core", "image"],
  "packages/compose": ["core"],
  "packages/planner": ["core"],
  "packages/registry": ["core", "image"],
  "packages/engine-api": ["core"],
  "packages/protocol": ["core"],
  "packages/db": ["core"],
  "packages/services": ["core", "protocol", "engine-api", "image", "db", "registry", "planner", "compose"],
  "packages/api": ["core", "protocol", "engine-api", "image", "services"],
  "packages/client": ["api"],
  agent: ["core", "dockerfile", "engine-api", "image", "protocol", "registry"],
  "apps/control": ["core", "protocol", "engine-api", "image", "db", "services", "api"],
  "apps/cli": ["core", "compose", "dockerfile", "protocol", "engine-api", "agent", "control"],
};

/** One part knows each big dependency; nothing else may name it. */
const EXTERNAL: readonly { module: RegExp; allowed: RegExp; instead: string }[] = [
  {
    module: /^(node:)?child_process$/,
    allowed: /^(agent\/src\/host|apps\/cli|apps\/control\/src\/server)\//,
    instead: "run() of agent/src/host/run.ts",
  },
  { module: /^node-pty$/, allowed: /^agent\/src\/host\//, instead: "agent/src/host" },
  { module: /^koffi$/, allowed: /^agent\/src\/host\//, instead: "agent/src/host" },
  { module: /^node:sqlite$/, allowed: /^agent\/src\/store\//, instead: "agent/src/store/database.ts" },
  { module: /^@prisma\//, allowed: /^packages\/db\//, instead: "@flotilla/db" },
  { module: /^@trpc\/server/, allowed: /^(packages\/api|apps\/control\/src\/server)\//, instead: "@flotilla/api" },
  { module: /^(next|react)(\/|$)/, allowed: /^apps\/control\/src\//, instead: "the dashboard" },
  { module: /^ws$/, allowed: /^(agent\/src\/link|apps\/control\/src\/server)\//, instead: "agent/src/link or the control plane's server" },
];

/** Parts that must stay free of Node: they hold decisions, not effects. */
const PURE = /^packages\/(core|image|dockerfile|compose|planner)\//;

function partOf(file: string): string {
  return file.startsWith("agent/") ? "agent" : file.split("/").slice(0, 2).join("/");
}

test("the graph was read: a check that sees no files proves nothing", () => {
  expect(graph.files.length).toBeGreaterThan(20);
  expect(graph.edges.length).toBeGreaterThan(20);
  expect(new Set(graph.files.map(partOf))).toEqual(new Set(Object.keys(PACKAGES)));
});

test("there is no import cycle, counting type-only imports", () => {
  expect(findCycles(graph.edges)).toEqual([]);
});

describe("import directions", () => {
  test("each part imports only the packages it is allowed to", () => {
    const broken = graph.edges.filter(({ from, to }) => {
      const name = /^@flotilla\/([^/]+)/.exec(to)?.[1];
      return name !== undefined && !(PACKAGES[partOf(from)] ?? []).includes(name);
    });
    expect(broken.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("a relative import never leaves its part", () => {
    const broken = graph.edges.filter(({ from, to }) => !to.startsWith("@flotilla/") && partOf(from) !== partOf(to));
    expect(broken.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("big dependencies are known to one part only", () => {
    const broken = graph.external.flatMap(({ from, to }) =>
      EXTERNAL.filter((rule) => rule.module.test(to) && !rule.allowed.test(from)).map(
        (rule) => `${from} imports ${to}: use ${rule.instead}`,
      ),
    );
    expect(broken).toEqual([]);
  });

  test("pure packages import nothing of Node", () => {
    const broken = graph.external.filter(({ from, to }) => PURE.test(from) && to.startsWith("node:"));
    expect(broken.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("what shall start quickly imports no node:http, which loads all of fetch", () => {
    const quick = /^(agent|apps\/cli|packages\/(core|engine-api|image|dockerfile|compose|protocol|registry))\//;
    const broken = graph.external.filter(({ from, to, isTypeOnly }) => to === "node:http" && !isTypeOnly && quick.test(from));
    expect(broken.map(({ from }) => `${from}: use http of @flotilla/engine-api/node-http`)).toEqual([]);
  });

  test("inside the agent, host, store and events import no feature", () => {
    const broken = graph.edges.filter(
      ({ from, to }) =>
        /^agent\/src\/(host|store|events)\//.test(from) && to.startsWith("agent/src/") && !/^agent\/src\/(host|store|events)\//.test(to),
    );
    expect(broken.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("inside the agent, nothing imports the composition root", () => {
    const broken = graph.edges.filter(({ from, to }) => from.startsWith("agent/") && to === "agent/src/main.ts");
    expect(broken.map(({ from }) => from)).toEqual([]);
  });
});

describe("findCycles", () => {
  const edge = (from: string, to: string): { from: string; to: string; isTypeOnly: boolean } => ({ from, to, isTypeOnly: false });

  test("names the files of a cycle", () => {
    const cycles = findCycles([edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "d")]);
    expect(cycles.map((group) => [...group].sort())).toEqual([["a", "b", "c"]]);
  });

  test("a diamond is not a cycle", () => {
    expect(findCycles([edge("a", "b"), edge("a", "c"), edge("b", "d"), edge("c", "d")])).toEqual([]);
  });
});
