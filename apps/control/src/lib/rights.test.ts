import { describe, expect, test } from "vitest";
import { formatPortRanges, grantableRights, groupRights, parsePortRanges, type Right } from "./rights.ts";

describe("rights in groups", () => {
  const rights: Right[] = ["container.read", "config.change", "secret.read", "host.read", "host.manage", "audit.read", "team.manage"];

  test("each is in the group of what it is about", () => {
    expect(groupRights(rights)).toEqual([
      { group: "container", rights: ["container.read"] },
      { group: "secret", rights: ["config.change", "secret.read"] },
      { group: "host", rights: ["host.read", "host.manage"] },
      { group: "team", rights: ["audit.read", "team.manage"] },
    ]);
  });

  test("a host is shared with what has a meaning on one host", () => {
    expect(grantableRights(rights)).toEqual(["container.read", "host.read"]);
  });
});

describe("ranges of ports", () => {
  test.each([
    [
      "8000-8100, 9000",
      [
        [8000, 8100],
        [9000, 9000],
      ],
    ],
    [
      " 80 ,, 443 ",
      [
        [80, 80],
        [443, 443],
      ],
    ],
    ["1 - 65535", [[1, 65_535]]],
    ["", []],
  ])("%j", (text, ranges) => expect(parsePortRanges(text)).toEqual(ranges));

  test.each(["0", "65536", "9-8", "80-", "a", "80;81", "1-2-3"])("%j is none", (text) => expect(parsePortRanges(text)).toBeUndefined());

  test("they are shown as they are written", () =>
    expect(
      formatPortRanges([
        [1, 2],
        [5, 5],
      ]),
    ).toBe("1-2, 5"));
});
