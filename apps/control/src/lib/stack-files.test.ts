import { describe, expect, test } from "vitest";
import { composeFiles, fileNameProblem, nameInFile, orderFiles } from "./stack-files.ts";

const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, ""]));

describe("composeFiles", () => {
  test("prefers the usual names, with the override after it", () => {
    expect(composeFiles(files("a.yaml", "compose.override.yaml", "compose.yaml"))).toEqual(["compose.yaml", "compose.override.yaml"]);
    expect(composeFiles(files("docker-compose.yml", ".env"))).toEqual(["docker-compose.yml"]);
  });
  test("takes what is YAML, else nothing", () => {
    expect(composeFiles(files(".env", "stack.yml"))).toEqual(["stack.yml"]);
    expect(composeFiles(files(".env"))).toEqual([]);
  });
});

test("orderFiles has compose files first", () => {
  expect(orderFiles(files("nginx.conf", ".env", "compose.yaml"))).toEqual(["compose.yaml", ".env", "nginx.conf"]);
});

test.each([
  ["", "empty"],
  ["/etc/passwd", "invalid"],
  ["a/../b", "invalid"],
  ["a//b", "invalid"],
  ["compose.yaml", "taken"],
  ["conf/nginx.conf", null],
])("the file name %j: %s", (name, problem) => expect(fileNameProblem(name, files("compose.yaml"))).toBe(problem));

test("nameInFile reads the name of the project", () => {
  expect(nameInFile('services: {}\nname: "shop" # x')).toBe("shop");
  expect(nameInFile("services:\n  web:\n    name: no")).toBeNull();
  expect(nameInFile("name: ${X}")).toBeNull();
});
