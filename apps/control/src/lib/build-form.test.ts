import { describe, expect, test } from "vitest";
import { buildProblem, EMPTY_BUILD, toBuildRequest } from "./build-form.ts";

const FILES = [{ path: "docker/Dockerfile", file: new File(["FROM scratch\n"], "Dockerfile") }];

describe("buildProblem", () => {
  test.each([
    [{}, "noFiles"],
    [{ files: FILES }, "noDockerfile"],
    [{ source: "archive" }, "noArchive"],
    [{ source: "text", text: " " }, "noText"],
    [{ source: "text", text: "FROM a", tags: "web:1, ../x" }, "tag"],
    [{ source: "text", text: "FROM a", target: "a b" }, "target"],
    [{ source: "text", text: "FROM a", args: [{ id: "1", name: "", value: "x" }] }, "arg"],
  ] as const)("%o: %s", (changes, code) => expect(buildProblem({ ...EMPTY_BUILD, ...changes })?.code).toBe(code));

  test("a Dockerfile below the context is found by its path", () => {
    expect(buildProblem({ ...EMPTY_BUILD, files: FILES, dockerfile: "./docker/Dockerfile", tags: "web:1" })).toBeNull();
  });
});

test("several tags are apart by spaces or commas, and a written Dockerfile is a context of one file", () => {
  const request = toBuildRequest({
    ...EMPTY_BUILD,
    source: "text",
    text: "FROM a",
    host: "local",
    tags: "web:1,  web:latest",
    dockerfile: "other",
  });
  expect(request).toMatchObject({ tags: ["web:1", "web:latest"], dockerfile: "", host: "local" });
  expect(request.context.size).toBe(2048);
});
