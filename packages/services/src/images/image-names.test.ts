import { describe, expect, test } from "vitest";
import { encodeReference, splitReference } from "./image-names.ts";

describe("splitReference", () => {
  test.each([
    ["nginx", "nginx", undefined],
    ["nginx:1.27", "nginx", "1.27"],
    ["localhost:5000/team/web", "localhost:5000/team/web", undefined],
    ["localhost:5000/team/web:2", "localhost:5000/team/web", "2"],
    ["web@sha256:ab", "web", "sha256:ab"],
    ["r:5000/web:1@sha256:ab", "r:5000/web", "sha256:ab"],
  ])("%s is repository %s and tag %s", (reference, repository, tag) => {
    expect(splitReference(reference)).toEqual({ repository, tag });
  });
});

test("a reference keeps its slashes in a path, and nothing else of meaning", () => {
  expect(encodeReference("a/b:1?x")).toBe("a/b%3A1%3Fx");
});
