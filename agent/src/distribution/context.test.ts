import { parseReference } from "@flotilla/image";
import { describe, expect, test } from "vitest";
import { parsePlatform, remoteOf } from "./context.ts";

describe("remoteOf", () => {
  const at = (defaultRegistry: string | undefined) => ({ defaultRegistry, domains: [], settingsOf: () => ({}) });

  test("leads names without a registry to the host's default one", () => {
    expect(remoteOf(parseReference("app"), at("own.example:5000"))).toEqual({ domain: "own.example:5000", path: "app" });
    expect(remoteOf(parseReference("team/app"), at("own.example:5000"))).toEqual({ domain: "own.example:5000", path: "team/app" });
  });

  test("leaves names with a registry, and all of them without a default one, as they are", () => {
    expect(remoteOf(parseReference("other.example/app"), at("own.example:5000"))).toEqual({ domain: "other.example", path: "app" });
    expect(remoteOf(parseReference("app"), at(undefined))).toEqual({ domain: "docker.io", path: "library/app" });
  });
});

describe("parsePlatform", () => {
  test("reads system, architecture and variant", () => {
    expect(parsePlatform("linux/arm64/v8")).toEqual({ platform: { os: "linux", architecture: "arm64", variant: "v8" }, isAsked: true });
    expect(parsePlatform("Linux/AMD64").platform).toEqual({ os: "linux", architecture: "amd64" });
  });

  test("is this machine's when nothing was asked", () => {
    expect(parsePlatform("")).toMatchObject({ platform: { os: "linux" }, isAsked: false });
  });

  test.each(["windows/amd64", "linux/a/b/c", "linux/ä", "/"])("refuses %s", (text) => {
    expect(() => parsePlatform(text)).toThrow();
  });
});
