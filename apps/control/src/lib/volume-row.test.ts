import { expect, test } from "vitest";
import { isAnonymous, usersByVolume } from "./volume-row.ts";

test("volumes of the same name on two hosts are two volumes", () => {
  const container = (id: string, host: string, Mounts: { Type: string; Name?: string }[]) => ({
    Id: id,
    Names: [`/${id}`],
    host: { id: host, name: host },
    Mounts,
  });
  const users = usersByVolume([
    container("web", "a", [{ Type: "volume", Name: "data" }, { Type: "bind" }]),
    container("api", "a", [{ Type: "volume", Name: "data" }]),
    container("db", "b", [{ Type: "volume", Name: "data" }]),
  ]);
  expect(users.get("a/data")?.map(({ name }) => name)).toEqual(["web", "api"]);
  expect(users.get("b/data")).toEqual([{ name: "db", href: "/containers/b/db" }]);
});

test("a name of 64 hexadecimal digits was made up by the engine", () => {
  expect(isAnonymous("a".repeat(64))).toBe(true);
  expect(isAnonymous("data")).toBe(false);
});
