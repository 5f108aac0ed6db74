import { describe, expect, test } from "vitest";
import { operationOf, parseRegistryRoute } from "./parse-route.ts";
import { parseRange } from "./serve-blob.ts";
import { parseContentRange } from "./serve-upload.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("parseRegistryRoute", () => {
  test.each([
    ["/v2", { kind: "base" }],
    ["/v2/", { kind: "base" }],
    ["/v2/_catalog", { kind: "catalog" }],
    ["/v2/token", { kind: "token" }],
    ["/v2/t/a/tags/list", { kind: "tags", name: "t/a" }],
    ["/v2/t/a/b/manifests/v1", { kind: "manifest", name: "t/a/b", reference: { tag: "v1" } }],
    [`/v2/t/a/manifests/${DIGEST}`, { kind: "manifest", name: "t/a", reference: { digest: DIGEST } }],
    [`/v2/t/a/blobs/${DIGEST.replace(":", "%3A")}`, { kind: "blob", name: "t/a", digest: DIGEST }],
    [`/v2/t/a/referrers/${DIGEST}`, { kind: "referrers", name: "t/a", digest: DIGEST }],
    ["/v2/t/a/blobs/uploads/", { kind: "uploads", name: "t/a" }],
    ["/v2/t/a/blobs/uploads", { kind: "uploads", name: "t/a" }],
    ["/v2/t/a/blobs/uploads/1", { kind: "upload", name: "t/a", id: "1" }],
    // Names may hold the words of the routes.
    [`/v2/t/blobs/uploads/manifests/v1`, { kind: "manifest", name: "t/blobs/uploads", reference: { tag: "v1" } }],
    ["/v2/t/manifests/blobs/uploads/x", { kind: "upload", name: "t/manifests", id: "x" }],
  ])("%s", (path, route) => {
    expect(parseRegistryRoute(path)).toEqual(route);
  });

  test.each(["/v2/t/a", "/v2/t/a/tags", "/v2/t/a/tags/other", "/v2/x/y/z"])("%s is no route", (path) => {
    expect(parseRegistryRoute(path)).toBeUndefined();
  });

  test.each(["/v2/../x/tags/list", "/v2/t/%2e%2e/tags/list", "/v2/T/a/tags/list", "/v2/t/a%/tags/list", "/v2/t//a/tags/list"])(
    "%j is refused as a name",
    (path) => {
      expect(() => parseRegistryRoute(path)).toThrow(/invalid repository name/);
    },
  );

  test("a name without a team is refused with what is missing", () => {
    expect(() => parseRegistryRoute("/v2/alone/tags/list")).toThrow("repositories are named <team>/<name>: alone has no team");
  });

  test("methods decide what right is needed, and unknown ones give none", () => {
    const blob = parseRegistryRoute(`/v2/t/a/blobs/${DIGEST}`);
    if (blob === undefined) throw new Error("no route");
    expect(["GET", "HEAD", "DELETE", "PUT", "BREW"].map((method) => operationOf(blob, method))).toEqual([
      "pull",
      "pull",
      "delete",
      undefined,
      undefined,
    ]);
  });
});

describe("ranges", () => {
  test.each([
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=5-", { start: 5, end: 9 }],
    ["bytes=5-100", { start: 5, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-30", { start: 0, end: 9 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=3-2", undefined],
    ["bytes=0-1,3-4", undefined],
    ["lines=0-1", undefined],
    [undefined, undefined],
  ])("%s of ten bytes", (header, range) => {
    expect(parseRange(header, 10)).toEqual(range);
  });

  test("a chunk's range is the specification's, or RFC 9110's", () => {
    expect([parseContentRange("0-9"), parseContentRange("bytes 10-19/*"), parseContentRange(undefined)]).toEqual([
      { start: 0, end: 9 },
      { start: 10, end: 19 },
      undefined,
    ]);
    for (const bad of ["", "9-0", "-1-2", "0-99999999999999999999", "a-b"]) expect(() => parseContentRange(bad)).toThrow(/Content-Range/);
  });
});
