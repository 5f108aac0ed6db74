import { Project } from "@flotilla/compose";
import { describe, expect, test } from "vitest";
import type { ObservedContainer } from "./labels.ts";
import { planUp, type UpInput, type UpOptions, type UpPlan } from "./plan-up.ts";

type Given = {
  services: Record<string, object>;
  containers?: ObservedContainer[];
  options?: Partial<UpOptions>;
  imageIds?: Record<string, string>;
  rest?: object;
};

const OPTIONS: UpOptions = {
  services: [],
  noDeps: false,
  forceRecreate: false,
  noRecreate: false,
  alwaysRecreateDeps: false,
  removeOrphans: false,
  starts: true,
};

/** A container as `up` made it from the same configuration. */
const container = (name: string, more: Partial<ObservedContainer> = {}): ObservedContainer => {
  const [service = "", number = "1"] = name.split("-");
  return {
    id: `id-${name}`.padEnd(64, "0"),
    name: `p-${name}`,
    service,
    number: Number(number),
    isOneOff: false,
    state: "running",
    configHash: `hash-${service}`,
    imageId: "img",
    replaces: undefined,
    ...more,
  };
};

function inputOf({ services, containers = [], options = {}, imageIds = {}, rest = {} }: Given): UpInput {
  const filled = Object.fromEntries(
    Object.entries(services).map(([name, service]) => [name, { image: "i", networks: { default: {} }, ...service }]),
  );
  const project = Project.parse({
    name: "p",
    services: filled,
    networks: { default: { name: "p_default" } },
    volumes: { v: { name: "p_v" } },
    ...rest,
  });
  const names = Object.keys(project.services);
  return {
    project,
    observed: { containers, networks: new Set(containers.length > 0 ? ["p_default"] : []), volumes: new Set() },
    options: { ...OPTIONS, ...options },
    hashes: new Map(names.map((name) => [name, `hash-${name}`])),
    imageIds: new Map(names.map((name) => [name, imageIds[name] ?? "img"])),
    knownServices: new Set(names),
  };
}

const plan = (given: Given): UpPlan => planUp(inputOf(given));

/** The steps as lines: `web: create p-web-1 (there is none)`. */
function linesOf({ services }: UpPlan): string[] {
  return services.flatMap(({ service, steps }) =>
    steps.map(
      (step) =>
        `${service}: ${step.kind} ${"name" in step ? step.name : step.container.name}${"reason" in step ? ` (${step.reason})` : ""}`,
    ),
  );
}

describe("a first up", () => {
  test("makes networks, volumes and containers, dependencies first", () => {
    const result = plan({ services: { web: { dependsOn: { db: {} }, volumes: [{ type: "volume", source: "v", target: "/v" }] }, db: {} } });
    expect(result).toMatchObject({ networks: ["default"], volumes: ["v"], orphans: [] });
    expect(linesOf(result)).toEqual(["db: create p-db-1 (there is none)", "web: create p-web-1 (there is none)"]);
  });

  test("makes as many as the file says, under fixed names where it gives them", () => {
    const result = plan({ services: { web: { deploy: { replicas: 3 } }, db: { containerName: "mydb" } } });
    expect(linesOf(result).map((line) => line.split(" ")[2])).toEqual(["p-web-1", "p-web-2", "p-web-3", "mydb"]);
  });

  test("takes only what is named, with what it depends on, or without", () => {
    const services = { web: { dependsOn: { api: {} } }, api: { dependsOn: { db: {} } }, db: {}, other: {} };
    expect(plan({ services, options: { services: ["api"] } }).services.map(({ service }) => service)).toEqual(["db", "api"]);
    expect(plan({ services, options: { services: ["api"], noDeps: true } }).services.map(({ service }) => service)).toEqual(["api"]);
  });
});

describe("an up of what is there", () => {
  test.each<[string, Partial<ObservedContainer>, Partial<Given>, string]>([
    ["keeps what has not changed", {}, {}, "web: keep p-web-1"],
    ["keeps what is paused", { state: "paused" }, {}, "web: keep p-web-1"],
    ["starts what has stopped", { state: "exited" }, {}, "web: start p-web-1 (it is exited)"],
    ["starts what was made only", { state: "created" }, {}, "web: start p-web-1 (it is created)"],
    ["starts nothing when told not to", { state: "exited" }, { options: { starts: false } }, "web: keep p-web-1"],
    ["replaces what has another configuration", { configHash: "old" }, {}, "web: replace p-web-1 (its configuration has changed)"],
    ["replaces what another compose made", { configHash: undefined }, {}, "web: replace p-web-1 (its configuration has changed)"],
    [
      "keeps the name that another compose gave",
      { configHash: "old", name: "p_web_1" },
      {},
      "web: replace p_web_1 (its configuration has changed)",
    ],
    ["replaces what has another image", {}, { imageIds: { web: "newer" } }, "web: replace p-web-1 (its image has changed)"],
    ["replaces by force", {}, { options: { forceRecreate: true } }, "web: replace p-web-1 (--force-recreate)"],
    ["replaces nothing when told not to", { configHash: "old" }, { options: { noRecreate: true } }, "web: keep p-web-1"],
    [
      "starts what it must not replace",
      { configHash: "old", state: "exited" },
      { options: { noRecreate: true } },
      "web: start p-web-1 (it is exited)",
    ],
  ])("%s", (_name, observed, given, expected) => {
    expect(linesOf(plan({ services: { web: {} }, containers: [container("web-1", observed)], ...given }))).toEqual([expected]);
  });

  test("scales up into the gaps, and down from the highest number", () => {
    const containers = [container("web-1"), container("web-3")];
    expect(linesOf(plan({ services: { web: { deploy: { replicas: 3 } } }, containers }))).toEqual([
      "web: keep p-web-1",
      "web: keep p-web-3",
      "web: create p-web-2 (there is none)",
    ]);
    expect(linesOf(plan({ services: { web: {} }, containers }))).toEqual(["web: remove p-web-3 (scaled to 1)", "web: keep p-web-1"]);
    expect(linesOf(plan({ services: { web: { deploy: { replicas: 0 } } }, containers: [container("web-1")] }))).toEqual([
      "web: remove p-web-1 (scaled to 0)",
    ]);
  });

  test("leaves one-off containers alone", () => {
    expect(
      linesOf(plan({ services: { web: {} }, containers: [container("web-1"), container("web-1", { id: "other", isOneOff: true })] })),
    ).toEqual(["web: keep p-web-1"]);
  });

  test("finds orphans, and removes them only when told to", () => {
    const containers = [container("web-1"), container("gone-1"), container("gone-1", { id: "o", isOneOff: true })];
    expect(plan({ services: { web: {} }, containers }).orphans).toEqual([]);
    expect(plan({ services: { web: {} }, containers, options: { removeOrphans: true } }).orphans.map(({ name }) => name)).toEqual([
      "p-gone-1",
    ]);
  });

  test("a service that shares another's network is replaced with it; one that only depends on it is restarted when it says so", () => {
    const services = {
      db: {},
      side: { networkMode: "service:db", networks: {}, dependsOn: { db: {} } },
      web: { dependsOn: { db: { restart: true } } },
      calm: { dependsOn: { db: {} } },
    };
    const containers = [container("db-1", { configHash: "old" }), container("side-1"), container("web-1"), container("calm-1")];
    expect(linesOf(plan({ services, containers }))).toEqual([
      "db: replace p-db-1 (its configuration has changed)",
      "side: replace p-side-1 (it shares namespaces or volumes of db, which is replaced)",
      "web: restart p-web-1 (what it depends on is replaced)",
      "calm: keep p-calm-1",
    ]);
  });

  test("--force-recreate is for the named services, --always-recreate-deps for the others", () => {
    const given = { services: { web: { dependsOn: { db: {} } }, db: {} }, containers: [container("web-1"), container("db-1")] };
    expect(linesOf(plan({ ...given, options: { services: ["web"], forceRecreate: true } }))).toEqual([
      "db: keep p-db-1",
      "web: replace p-web-1 (--force-recreate)",
    ]);
    expect(linesOf(plan({ ...given, options: { services: ["web"], alwaysRecreateDeps: true } }))).toEqual([
      "db: replace p-db-1 (--always-recreate-deps)",
      "web: keep p-web-1",
    ]);
  });
});

describe("after an up that was killed", () => {
  const old = container("web-1", { configHash: "old" });
  const made = container("web-1", {
    id: "new".padEnd(64, "0"),
    name: `${old.id.slice(0, 12)}_p-web-1`,
    state: "created",
    replaces: old.id,
  });

  test("a new container beside its old one goes, and the old one is replaced again", () => {
    expect(linesOf(plan({ services: { web: {} }, containers: [old, made] }))).toEqual([
      `web: remove ${made.name} (left over from an interrupted replacement)`,
      "web: replace p-web-1 (its configuration has changed)",
    ]);
  });

  test("a new container whose old one has gone takes its name and starts", () => {
    expect(linesOf(plan({ services: { web: {} }, containers: [made] }))).toEqual([
      "web: rename p-web-1 (an interrupted replacement is finished)",
      `web: start ${made.name} (it is created)`,
    ]);
  });

  test("a replacement that was finished long ago is a container like any other", () => {
    expect(linesOf(plan({ services: { web: {} }, containers: [{ ...made, name: "p-web-1", state: "running" }] }))).toEqual([
      "web: keep p-web-1",
    ]);
  });
});

test("the same input gives the same plan", () => {
  const input = inputOf({ services: { a: { dependsOn: { b: {} } }, b: {}, c: {} }, containers: [container("b-1"), container("c-2")] });
  expect(planUp(input)).toEqual(planUp(structuredClone(input)));
});
