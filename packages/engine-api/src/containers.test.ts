import { describe, expect, test } from "vitest";
import { ContainerCreateBody, ContainerInspect } from "./containers.ts";
import { HostConfig } from "./host-config.ts";

describe("ContainerCreateBody", () => {
  test("null, missing and unknown fields are tolerated as Go's decoder tolerates them", () => {
    const body = ContainerCreateBody.parse({
      Image: "busybox",
      Cmd: "true",
      Entrypoint: null,
      Volumes: { "/data": {} },
      SomethingNew: 3,
      HostConfig: { Binds: null, Mounts: null, Memory: null, Whatever: {} },
    });
    expect(body.Cmd).toEqual(["true"]);
    expect(body.Entrypoint).toBeNull();
    expect(body.Env).toBeNull();
    expect(body.Volumes).toEqual({ "/data": {} });
    expect(body.HostConfig?.Memory).toBe(0);
    expect(body).not.toHaveProperty("SomethingNew");
    expect(body.HostConfig).not.toHaveProperty("Whatever");
  });

  test("a wrong type is refused", () => {
    expect(ContainerCreateBody.safeParse({ Image: "x", HostConfig: { Memory: "lots" } }).success).toBe(false);
  });
});

describe("HostConfig", () => {
  test("an empty one answers what Docker answers: null for unset lists, nothing for omitted ones", () => {
    const json = JSON.parse(JSON.stringify(HostConfig.parse({}))) as Record<string, unknown>;
    expect(json["Binds"]).toBeNull();
    expect(json["ConsoleSize"]).toEqual([0, 0]);
    expect(json["PortBindings"]).toEqual({});
    expect(json).not.toHaveProperty("Mounts");
    expect(json).not.toHaveProperty("Init");
  });

  test("parsing what was parsed changes nothing", () => {
    const once = HostConfig.parse({ Memory: 5, Tmpfs: { "/run": "" }, Mounts: [{ Type: "volume", Target: "/x" }] });
    expect(HostConfig.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });
});

test("an inspect answer of an old daemon parses", () => {
  const inspect = ContainerInspect.parse({ Id: "a", State: {}, HostConfig: {}, Config: {}, NetworkSettings: {} });
  expect(inspect.NetworkSettings.Networks).toEqual({});
});
