import { describe, expect, test } from "vitest";
import { Network, Project, RolloutConfig, Service } from "./model.ts";

describe("the canonical model", () => {
  test("a revision that an older version wrote is filled with what it did not know", () => {
    const project = Project.parse({ name: "shop", services: { web: { image: "nginx" } } });
    expect(project.services["web"]?.deploy).toMatchObject({ mode: "replicated", replicas: 1, placement: { constraints: [] } });
    expect(project.services["web"]?.networks).toEqual({});
    expect(Project.parse(JSON.parse(JSON.stringify(project)))).toEqual(project);
  });

  test("defaults are not shared between two services", () => {
    const first = Service.parse({ image: "a" });
    first.deploy.placement.constraints.push("node.role == manager");
    first.labels["a"] = "b";
    const second = Service.parse({ image: "b" });
    expect(second.deploy.placement.constraints).toEqual([]);
    expect(second.labels).toEqual({});
  });

  test("a rollout has the specification's defaults", () => {
    expect(RolloutConfig.parse({})).toEqual({
      parallelism: 1,
      delayMs: 0,
      failureAction: "pause",
      monitorMs: 5000,
      maxFailureRatio: 0,
      order: "stop-first",
    });
  });

  test.each(["Shop", "-shop", "", "shop!"])("%j is no name of a project", (name) => {
    expect(Project.safeParse({ name }).success).toBe(false);
  });

  test.each([
    { type: "bind", target: "/data" },
    { type: "npipe", source: "x", target: "/data" },
  ])("a mount %j is refused", (mount) => {
    expect(Service.safeParse({ image: "a", volumes: [mount] }).success).toBe(false);
  });

  test("a network keeps its pools in order", () => {
    const ipam = { pools: [{ subnet: "10.5.0.0/16", gateway: "10.5.0.1" }, { subnet: "fd00::/64" }] };
    expect(Network.parse({ name: "n", ipam }).ipam?.pools.map((pool) => pool.subnet)).toEqual(["10.5.0.0/16", "fd00::/64"]);
  });
});
