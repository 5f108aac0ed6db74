import { FlotillaError } from "@flotilla/core";
import { describe, expect, test } from "vitest";
import { replicaEngine } from "./engine-port.ts";

type Engine = Parameters<typeof replicaEngine>[0];

const ID = `sha256:db${"0".repeat(62)}`;

function withImages(resolve: (reference: string) => { id: string; reference: string }): ReturnType<typeof replicaEngine> {
  const images = { resolve: (_namespace: string, reference: string) => resolve(reference) };
  return replicaEngine({ images } as unknown as Engine);
}

describe("an image of a replica is here", () => {
  test.each([
    ["by its name", "web:1", { id: ID, reference: "web:1" }, true],
    ["by a name that could be an id's beginning", "db", { id: ID, reference: "db:latest" }, true],
    ["only by an id that begins like the name", "db", { id: ID, reference: ID }, false],
    ["by the twelve digits that Docker shows", "db0000000000", { id: ID, reference: ID }, true],
    ["by its whole id", ID, { id: ID, reference: ID }, true],
  ])("%s", (_name, image, found, expected) => {
    expect(withImages(() => found).hasImage("default", image)).toBe(expected);
  });

  test.each([
    ["not_found", "web:1", false],
    ["not_found", "db", false],
    // Several ids begin so.
    ["invalid", "db", false],
  ] as const)("%s for %s", (code, image, expected) => {
    const engine = withImages(() => {
      throw new FlotillaError(code, "no");
    });
    expect(engine.hasImage("default", image)).toBe(expected);
  });

  test("a name that is none is an error", () => {
    const engine = withImages(() => {
      throw new FlotillaError("invalid", "invalid reference format");
    });
    expect(() => engine.hasImage("default", "WEB:::")).toThrow("invalid reference format");
  });
});
