import { ruleOf } from "@flotilla/services";
import { describe, expect, test } from "vitest";
import { classifyDockerCall } from "./classify.ts";

describe("classifyDockerCall", () => {
  test.each([
    ["GET", "/_ping", "system.read", ""],
    ["HEAD", "/_ping", "system.read", ""],
    ["GET", "/v1.47/containers/json", "container.read", ""],
    ["GET", "/containers/web/json", "container.read", "web"],
    ["GET", "/v1.24/containers/web/logs", "container.logs", "web"],
    ["POST", "/v1.47/containers/create", "container.create", ""],
    ["POST", "/v1.47/containers/abc/exec", "container.exec", "abc"],
    ["POST", "/v1.47/containers/abc/attach", "container.attach", "abc"],
    ["GET", "/containers/abc/top", "container.processes", "abc"],
    ["GET", "/containers/abc/changes", "container.files", "abc"],
    ["GET", "/containers/abc/export", "container.files", "abc"],
    ["POST", "/containers/abc/update", "container.update", "abc"],
    ["POST", "/containers/abc/kill", "container.change", "abc"],
    ["GET", "/exec/abc/json", "container.readExec", "abc"],
    ["POST", "/commit", "image.commit", ""],
    ["GET", "/images/get", "image.save", ""],
    ["GET", "/images/a/b/get", "image.save", "a/b"],
    ["POST", "/v1.47/exec/abc/start", "container.exec", "abc"],
    ["POST", "/containers/prune", "container.remove", ""],
    ["DELETE", "/containers/web", "container.remove", "web"],
    ["PUT", "/containers/web/archive", "container.writeFiles", "web"],
    ["GET", "/images/library/nginx:1/json", "image.read", "library/nginx:1"],
    ["GET", "/images/library%2Fnginx/json", "image.read", "library/nginx"],
    ["DELETE", "/images/registry.test:5000/a/b@sha256:00", "image.remove", "registry.test:5000/a/b@sha256:00"],
    ["POST", "/images/create", "image.change", ""],
    ["DELETE", "/volumes/data", "volume.remove", "data"],
    ["POST", "/networks/front/connect", "network.change", "front"],
  ])("%s %s is %s of %j", (...[method, path, action, id]) => {
    expect(classifyDockerCall(method, path)).toMatchObject({ action, id });
  });

  test.each([
    ["?fromImage=nginx&tag=1", "image.pull"],
    ["?FROMIMAGE=nginx", "image.pull"],
    ["?fromSrc=-&repo=x", "image.change"],
    ["?fromImage=nginx&fromSrc=-", "image.change"],
    ["", "image.change"],
  ])("/images/create%s is %s", (query, action) => {
    expect(classifyDockerCall("POST", "/v1.47/images/create", query)).toMatchObject({ action });
  });

  test.each([
    ["GET", "/plugins"],
    ["POST", "/plugins/pull"],
    ["GET", "/swarm"],
    ["POST", "/services/create"],
    ["GET", "/secrets"],
    ["POST", "/session"],
    ["POST", "/grpc"],
    ["GET", "/flotilla/v1/link/heartbeats"],
    ["GET", "/containers/../_ping"],
    ["GET", "/containers/a/../../events"],
    ["GET", "/containers/%2e%2e/json"],
    ["GET", "/containers/a%2fexec/json"],
    ["GET", "/images/..%2f..%2fcontainers/json"],
    ["GET", "//containers/json"],
    ["GET", "/v1.47"],
    ["GET", "/v1.47/v1.47/containers/json"],
    ["GET", "/containers/json;x"],
    ["GET", "/containers/a b/json"],
    ["GET", "/containers/%zz/json"],
    ["PATCH", "/containers/web"],
    ["DELETE", "/containers/json/x"],
    ["get", "/_ping"],
    ["GET", ""],
  ])("%s %s is not known", (method, path) => expect(classifyDockerCall(method, path)).toBeUndefined());

  test("what changes something is never classified as reading, but for calls that only read by POST", () => {
    const reads = ["/auth", "/containers/x/wait"];
    const paths = [
      "/containers/create",
      "/containers/x/start",
      "/containers/x/kill",
      "/commit",
      "/build",
      "/images/load",
      "/volumes/create",
      ...reads,
    ];
    const reading = paths.filter((path) => !ruleOf(classifyDockerCall("POST", path)?.action ?? "container.read").changes);
    expect(reading).toEqual(reads);
  });
});
