import { digestOfHex } from "@flotilla/image";
import { expect, test } from "vitest";
import { Leases } from "./leases.ts";

const A = digestOfHex("a".repeat(64));

test("what two operations hold is free when both let go", () => {
  const leases = new Leases();
  const first = leases.open();
  const second = leases.open();
  first.add(A);
  first.add(A);
  second.add(A);
  expect(first.release()).toEqual([A]);
  expect(leases.has(A)).toBe(true);
  expect(first.release()).toEqual([]);
  expect(leases.has(A)).toBe(true);
  second.release();
  expect(leases.has(A)).toBe(false);
});
