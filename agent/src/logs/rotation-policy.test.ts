import { expect, test } from "vitest";
import { parseRotationPolicy } from "./rotation-policy.ts";

test.each([
  [{ "max-size": "10m" }, { maxBytes: 10_000_000, maxFiles: 1 }],
  [
    { "max-size": "1.5kb", "max-file": "3" },
    { maxBytes: 1500, maxFiles: 3 },
  ],
  [
    { "max-size": "200", "max-file": "0" },
    { maxBytes: 200, maxFiles: 1 },
  ],
  [{ "max-size": "2G" }, { maxBytes: 2e9, maxFiles: 1 }],
  [{}, undefined],
  [{ "max-file": "3" }, undefined],
  [{ "max-size": "-1" }, undefined],
  [{ "max-size": "ten" }, undefined],
  [{ "max-size": "1x" }, undefined],
])("the options %j mean %j", (options, expected) => {
  expect(parseRotationPolicy(options)).toEqual(expected);
});
