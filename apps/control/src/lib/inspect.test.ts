import { expect, test } from "vitest";
import { containerInspectSchema, portRows } from "./inspect.ts";

const MINIMAL = {
  Id: "abc",
  Name: "/web",
  State: { Status: "running" },
  Config: { Image: "nginx", Env: null, Labels: null },
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: {
    Ports: { "443/tcp": null, "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
    Networks: {},
  },
};

test("nulls where Docker means empty, and missing fields, do not break the page", () => {
  const details = containerInspectSchema.parse(MINIMAL);
  expect(details.Name).toBe("web");
  expect(details.Config.Env).toEqual([]);
  expect(details.Mounts).toEqual([]);
  expect(details.State.Health ?? null).toBeNull();
});

test("ports are sorted by number and say where they are published", () => {
  expect(portRows(containerInspectSchema.parse(MINIMAL))).toEqual([
    { container: "80/tcp", published: [{ address: "0.0.0.0", port: "8080" }] },
    { container: "443/tcp", published: [] },
  ]);
});
