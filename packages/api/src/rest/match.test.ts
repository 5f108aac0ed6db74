import { describe, expect, test } from "vitest";
import { z } from "zod";
import { matchRoute } from "./match.ts";
import type { RestMethod, RestRoute } from "./route.ts";

const at = (method: RestMethod, path: string, more: Partial<RestRoute> = {}): RestRoute => {
  return { method, path, summary: "", output: z.object({}), ...more };
};
const routes = new Map<string, RestRoute>([
  ["hosts.list", at("GET", "/hosts")],
  ["hosts.get", at("GET", "/hosts/{host}")],
  ["hosts.rename", at("PATCH", "/hosts/{host}")],
  ["containers.get", at("GET", "/hosts/{host}/containers/{id}")],
  ["stacks.plan", at("POST", "/stacks/plan")],
  ["stacks.act", at("POST", "/stacks/{stack}")],
  ["manifests.delete", at("DELETE", "/manifests/{reference}", { fields: { reference: "digest" } })],
]);
const match = (method: string, path: string): unknown => matchRoute(routes, { method, path });

describe("matchRoute", () => {
  test("finds a route and its parameters", () => {
    expect(match("GET", "/hosts")).toMatchObject({ kind: "found", procedure: "hosts.list", parameters: {} });
    expect(match("GET", "/hosts/web-1/containers/c1")).toMatchObject({
      procedure: "containers.get",
      parameters: { host: "web-1", id: "c1" },
    });
  });

  test("a segment is decoded once: what is encoded in it splits nothing", () => {
    expect(match("GET", "/hosts/web%2F1/containers/sha256%3Aab%252F")).toMatchObject({
      parameters: { host: "web/1", id: "sha256:ab%2F" },
    });
    expect(match("GET", "/hosts/%E0%A4%A")).toEqual({ kind: "none" });
  });

  test("a fixed segment wins over a parameter", () => {
    expect(match("POST", "/stacks/plan")).toMatchObject({ procedure: "stacks.plan" });
    expect(match("POST", "/stacks/other")).toMatchObject({ procedure: "stacks.act", parameters: { stack: "other" } });
  });

  test("a parameter of the path may have another name in the input", () => {
    expect(match("DELETE", "/manifests/sha256:ab")).toMatchObject({ parameters: { digest: "sha256:ab" } });
  });

  test("another method of a known path is told what is allowed", () => {
    expect(match("DELETE", "/hosts/web-1")).toEqual({ kind: "otherMethod", allowed: ["GET", "PATCH"] });
  });

  test.each(["/", "", "/hosts/", "/hosts//containers/c1", "/nothing", "/hosts/a/b/c/d"])("%j is no path", (path) => {
    expect(match("GET", path)).toEqual({ kind: "none" });
  });
});
