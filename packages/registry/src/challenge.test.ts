import { describe, expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";

const parsed = (header: string): [string, Record<string, string>][] =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe("parseChallenges", () => {
  test.each<[string, [string, Record<string, string>][]]>([
    [
      'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
      [["bearer", { realm: "https://a/t", service: "s", scope: "repository:a/b:pull,push" }]],
    ],
    [
      'Basic realm="x", Bearer realm="y" , service = z',
      [
        ["basic", { realm: "x" }],
        ["bearer", { realm: "y", service: "z" }],
      ],
    ],
    ['BEARER Realm="a \\"b\\" \\\\"', [["bearer", { realm: 'a "b" \\' }]]],
    ["Negotiate", [["negotiate", {}]]],
    ['Bearer realm="never closed', [["bearer", {}]]],
    ["", []],
    ["\u0000\u0001", []],
    ["=x", []],
  ])("%s", (header, expected) => expect(parsed(header)).toEqual(expected));

  test("a header of a megabyte is cut", () => {
    expect(parseChallenges("a ".repeat(500_000)).length).toBeLessThan(5000);
  });
});
