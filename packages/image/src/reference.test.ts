import { describe, expect, test } from "vitest";
import {
  familiarRepository,
  findReference,
  formatCanonical,
  formatFamiliar,
  matchesPattern,
  parseReference,
  withDefaultTag,
} from "./reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("names are completed as Docker completes them", () => {
  test.each([
    ["busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
    ["user/app", "docker.io/user/app:latest", "user/app:latest"],
    ["docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["index.docker.io/library/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"],
    ["localhost/app", "localhost/app:latest", "localhost/app:latest"],
    ["localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"],
    ["reg.example.org/team/app:v1", "reg.example.org/team/app:v1", "reg.example.org/team/app:v1"],
    ["[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"],
    ["LOCAL/app", "LOCAL/app:latest", "LOCAL/app:latest"],
    ["a__b/c--d/e.f_g", "docker.io/a__b/c--d/e.f_g:latest", "a__b/c--d/e.f_g:latest"],
    [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`, `app@${DIGEST}`],
    [`app:1@${DIGEST}`, `docker.io/library/app:1@${DIGEST}`, `app:1@${DIGEST}`],
  ])("%s", (text, canonical, familiar) => {
    const reference = withDefaultTag(parseReference(text));
    expect(formatCanonical(reference)).toBe(canonical);
    expect(formatFamiliar(reference)).toBe(familiar);
    expect(parseReference(canonical)).toEqual(reference);
  });
});

describe("what is not a reference is refused", () => {
  test.each([
    ["", "invalid reference format"],
    ["Busybox", "invalid reference format: repository name (library/Busybox) must be lowercase"],
    ["a".repeat(64), "cannot specify 64-byte hexadecimal strings"],
    ["app:", "invalid reference format"],
    [`app:${"t".repeat(129)}`, "invalid reference format"],
    ["app:-x", "invalid reference format"],
    ["-app", "invalid reference format"],
    ["app_", "invalid reference format"],
    ["a///b", "invalid reference format"],
    ["a..b", "invalid reference format"],
    ["a___b", "invalid reference format"],
    ["../etc/passwd", "invalid reference format"],
    ["app;rm -rf /", "invalid reference format"],
    ["app\n", "invalid reference format"],
    ["app\0", "invalid reference format"],
    ["ａpp", "invalid reference format"],
    ["app@sha256:123", "invalid reference format"],
    ["app@md5:00000000000000000000000000000000", "invalid reference format"],
    ["-bad-.example.org/app", "invalid reference format"],
    [`${"a".repeat(250)}/b`, "repository name must not be more than 255 characters"],
    ["x".repeat(100_000), "invalid reference format"],
  ])("%j", (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
    expect(findReference(text)).toBeUndefined();
  });
});

test("a tag is not added to a digest", () => {
  expect(withDefaultTag(parseReference(`app@${DIGEST}`)).tag).toBeUndefined();
});

test("the shown repository has neither tag nor digest", () => {
  expect(familiarRepository(parseReference(`user/app:1@${DIGEST}`))).toBe("user/app");
});

describe("patterns of docker images --filter reference", () => {
  test.each([
    ["busybox", "busybox:1", true],
    ["busy*", "busybox:1", true],
    ["busybox:*", "busybox:1", true],
    ["busybox:2", "busybox:1", false],
    ["*", "user/app", false],
    ["*/*", "user/app", true],
    ["user/ap?", "user/app", true],
    ["user/[a-c]pp", "user/app", true],
    ["user/[x-z]pp", "user/app", false],
    ["u.er/app", "user/app", false],
    ["user/app[", "user/app", false],
  ])("%s against %s", (pattern, name, isMatch) => {
    expect(matchesPattern(pattern, withDefaultTag(parseReference(name)))).toBe(isMatch);
  });

  test("one that is no pattern is refused", () => {
    expect(() => matchesPattern("[z-a]", parseReference("app"))).toThrow("invalid filter 'reference=[z-a]'");
  });
});
