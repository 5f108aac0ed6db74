import { expect, test } from "vitest";
import { formatLabels, parseLabels } from "./host-labels.ts";

test("labels are lines, and come back as they were", () => {
  const { labels, wrongLine } = parseLabels("disk=ssd\n\n zone = eu-1 \nnote=a=b\nbare");
  expect(wrongLine).toBeNull();
  expect(labels).toEqual({ disk: "ssd", zone: "eu-1", note: "a=b", bare: "" });
  expect(formatLabels(labels)).toBe("bare=\ndisk=ssd\nnote=a=b\nzone=eu-1");
  expect(parseLabels(formatLabels(labels)).labels).toEqual(labels);
});

test.each([
  ["ok=1\n=x", 2],
  ["a b=1", 1],
  [`a=${"x".repeat(257)}`, 1],
])("%j: line %i is none", (text, line) => expect(parseLabels(text).wrongLine).toBe(line));
