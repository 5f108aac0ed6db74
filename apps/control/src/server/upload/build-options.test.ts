import { describe, expect, test } from "vitest";
import { buildPath, parseBuildOptions } from "./build-options.ts";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("parseBuildOptions", () => {
  test("takes several tags, the arguments from their header, and Docker's defaults", () => {
    const options = parseBuildOptions(new URLSearchParams("host=a&t=web:1&t=web:2&nocache=1"), encode({ VERSION: "3 & 4" }));
    expect(options).toEqual({
      dockerfile: "Dockerfile",
      nocache: true,
      pull: false,
      tags: ["web:1", "web:2"],
      buildArgs: { VERSION: "3 & 4" },
    });
  });

  test.each([
    ["an unknown flag's value", "nocache=yes", undefined],
    ["a tag that is none", "t=../x", undefined],
    ["a target with a space", "target=a%20b", undefined],
    ["a header that is no JSON", "", "%%%"],
    ["an argument that is no word", "", encode({ "a b": "1" })],
    ["an argument that is no text", "", encode({ a: 1 })],
  ])("refuses %s", (_what, search, header) => {
    expect(() => parseBuildOptions(new URLSearchParams(search), header)).toThrow("the build's parameters are not valid");
  });
});

test("the engine is asked to leave nothing between the steps behind", () => {
  const path = buildPath(parseBuildOptions(new URLSearchParams("t=a:1&target=final&pull=1"), undefined));
  const params = new URL(path, "http://engine").searchParams;
  expect(Object.fromEntries(params)).toEqual({
    dockerfile: "Dockerfile",
    rm: "1",
    forcerm: "1",
    buildargs: "{}",
    t: "a:1",
    target: "final",
    pull: "1",
  });
});
