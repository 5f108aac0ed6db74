import { expect, test } from "vitest";
import { buildUrl, encodeArgs } from "./build-image.ts";

const REQUEST = { host: "local", dockerfile: "docker/Dockerfile", tags: ["web:1", "web:latest"], target: "", noCache: true, pull: false };

test("a build's address names what is asked and leaves out what is not", () => {
  expect(buildUrl(REQUEST)).toBe("/api/upload/build?host=local&dockerfile=docker%2FDockerfile&t=web%3A1&t=web%3Alatest&nocache=1");
});

test("build arguments of any letters come out of their header as they were", () => {
  const header = encodeArgs([{ name: "GREETING", value: "héllo ~?? 世界" }]);
  expect(header).toMatch(/^[\w-]+$/);
  expect(JSON.parse(Buffer.from(header, "base64url").toString("utf8"))).toEqual({ GREETING: "héllo ~?? 世界" });
});
