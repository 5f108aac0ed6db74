import { describe, expect, test } from "vitest";
import type { GrantRow } from "@/trpc/types.ts";
import { type GrantForm, readGrantForm, toGrantForm } from "./grant-form.ts";

const EMPTY: GrantForm = { team: "guests", containers: "", cpus: "", memory: "", ports: "" };
const GIB = 1024 ** 3;

describe("readGrantForm", () => {
  test("what is empty is not limited", () => expect(readGrantForm(EMPTY)).toEqual({ limits: {}, wrong: [] }));

  test("all limits", () => {
    const form = { ...EMPTY, containers: "20", cpus: "1.5", memory: "2 GiB", ports: "8000-8100, 9000" };
    const limits = {
      containers: 20,
      cpus: 1.5,
      memoryBytes: 2 * GIB,
      hostPorts: [
        [8000, 8100],
        [9000, 9000],
      ],
    };
    expect(readGrantForm(form)).toEqual({ limits, wrong: [] });
  });

  test("a hyphen is no port at all", () => expect(readGrantForm({ ...EMPTY, ports: "-" }).limits).toEqual({ hostPorts: [] }));

  test.each([
    ["containers", "-1"],
    ["containers", "many"],
    ["cpus", "0"],
    ["cpus", "1e3"],
    ["memory", "512"],
    ["memory", "1m"],
    ["ports", "70000"],
  ] as const)("%s %j is wrong", (name, text) => {
    expect(readGrantForm({ ...EMPTY, [name]: text })).toEqual({ limits: undefined, wrong: [name] });
  });
});

test("a grant is shown as it would be typed", () => {
  const limits = { containers: 3, memoryBytes: GIB, hostPorts: [] };
  const grant: GrantRow = { id: "g", team: { name: "G", slug: "guests" }, rights: [], limits, createdBy: "a", createdAt: "" };
  expect(toGrantForm(grant)).toEqual({ team: "guests", containers: "3", cpus: "", memory: "1024m", ports: "-" });
  expect(readGrantForm(toGrantForm(grant)).limits).toEqual(limits);
  expect(toGrantForm(null)).toEqual({ ...EMPTY, team: "" });
});
