import { describe, expect, test } from "vitest";
import { findKeyPlace, keysAt } from "./compose-keys.ts";

const FILE = `name: shop
services:
  web:
    image: nginx
    ports:
      - target: 80
        pub
    deploy:
      update_config:
        par
    environment:
    - A=b
volumes:
  data:
    dri`;
const LINES = FILE.split("\n");
const at = (text: string, part = text.trim()) => {
  const index = LINES.findIndex((line) => line.includes(text));
  return findKeyPlace(LINES, index, (LINES[index] ?? "").indexOf(part) + part.length);
};

describe("findKeyPlace", () => {
  test("goes up by indentation", () => {
    expect(at("par", "par")).toEqual({ path: ["services", "web", "deploy", "update_config"], from: 8, word: "par" });
    expect(at("dri", "dri")?.path).toEqual(["volumes", "data"]);
  });
  test("is inside of a list's item", () => {
    expect(at("pub", "pub")?.path).toEqual(["services", "web", "ports"]);
    expect(at("- target", "- tar")).toEqual({ path: ["services", "web", "ports"], from: 8, word: "tar" });
  });
  test("a list may stand as far left as its key", () => {
    expect(at("- A=b", "- A")?.path).toEqual(["services", "web", "environment"]);
  });
  test("a value is no key", () => {
    expect(at("image: nginx", "image: ngi")).toBeNull();
  });
  test("an empty line counts by the cursor's column", () => {
    expect(findKeyPlace(["services:", "  web:", "    "], 2, 4)?.path).toEqual(["services", "web"]);
    expect(findKeyPlace(["services:", "  web:", ""], 2, 0)?.path).toEqual([]);
  });
  test("comments and empty lines are passed over", () => {
    expect(findKeyPlace(["services:", "# x:", "", "  web:", "    im"], 4, 6)?.path).toEqual(["services", "web"]);
  });
});

const KEYS = [
  "name",
  "services.image",
  "services.ports",
  "services.ports.target",
  "services.networks",
  "services.networks.aliases",
  "networks.driver",
].map((path) => ({ path, note: "" }));
const found = (...path: string[]) => keysAt(KEYS, path).map(({ key }) => key);

describe("keysAt", () => {
  test("leaves out the names that people choose", () => {
    expect(found("services", "web")).toEqual(["image", "ports", "networks"]);
    expect(found("services", "image")).toEqual(["image", "ports", "networks"]);
    expect(found("services", "web", "networks", "front")).toEqual(["aliases"]);
    expect(found("networks", "front")).toEqual(["driver"]);
  });
  test("offers sections at the top, and no keys where a name is written", () => {
    expect(found()).toEqual(["services", "networks", "volumes", "secrets", "configs", "name"]);
    expect(found("services")).toEqual([]);
  });
  test("knows nothing below what it does not know", () => {
    expect(found("x-mine")).toEqual([]);
  });
});
