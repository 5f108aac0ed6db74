import { expect, test } from "vitest";
import { listComposeKeys } from "./check-stack.ts";

test("listComposeKeys says of each key what a stack makes of it", () => {
  const list = listComposeKeys();
  const keys = new Map(list.map(({ path, note }) => [path, note]));
  expect(keys.get("services.image")).toBe("");
  expect(keys.get("services.deploy.update_config.order")).toBe("");
  expect(keys.get("secrets.driver")).toContain("not supported");
  expect(list.find(({ path }) => path === "secrets.driver")?.said).toEqual({ code: "file_driver", values: {} });
  expect(list.find(({ path }) => path === "services.image")?.said).toBeNull();
});
