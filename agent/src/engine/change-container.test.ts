import { ContainerUpdateBody, HostConfig } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { mergeUpdate } from "./change-container.ts";

const current = HostConfig.parse({ Memory: 100, MemorySwap: 200, NanoCpus: 5, PidsLimit: 9, RestartPolicy: { Name: "always" } });
const update = (body: Record<string, unknown>): HostConfig => mergeUpdate(current, ContainerUpdateBody.parse(body));

test("zero, empty and missing leave things as they are", () => {
  expect(update({ Memory: 0, CpusetCpus: "", Devices: [], PidsLimit: null, RestartPolicy: { Name: "" } })).toEqual(current);
});

test("what is set replaces, and one way of limiting CPUs replaces the other", () => {
  expect(update({ Memory: 150, PidsLimit: 3 })).toMatchObject({ Memory: 150, MemorySwap: 200, PidsLimit: 3, NanoCpus: 5 });
  expect(update({ CpuQuota: 50_000 })).toMatchObject({ CpuQuota: 50_000, NanoCpus: 0 });
  expect(update({ RestartPolicy: { Name: "no" } }).RestartPolicy).toEqual({ Name: "no", MaximumRetryCount: 0 });
});

test("memory above the swap limit needs that raised too", () => {
  expect(() => update({ Memory: 300 })).toThrow("Memory limit should be smaller than already set memoryswap limit");
  expect(update({ Memory: 300, MemorySwap: -1 })).toMatchObject({ Memory: 300, MemorySwap: -1 });
});
