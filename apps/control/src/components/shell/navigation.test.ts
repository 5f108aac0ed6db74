import { expect, test } from "vitest";
import { isCurrent } from "./navigation.ts";

test.each([
  ["/", "/", true],
  ["/", "/stacks", false],
  ["/stacks", "/stacks/shop", true],
  ["/stacks", "/stacksy", false],
  ["/stacks", "/deploy", true],
  ["/containers", "/run", true],
  ["/stacks", "/run", false],
  ["/deployments", "/deploy", false],
])("the section %s is current at %s: %s", (href, pathname, expected) => expect(isCurrent(href, pathname)).toBe(expected));
