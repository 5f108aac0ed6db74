import { describe, expect, test } from "vitest";
import { curlLine, dockerLines, EMPTY_TOKEN, readTokenForm } from "./token-form.ts";

const NAMED = { ...EMPTY_TOKEN, name: " ci " };

describe("a new token", () => {
  test("has all that its maker has, and ends, unless something else is chosen", () => {
    expect(readTokenForm(NAMED)).toEqual({ name: "ci", expiresInDays: 90, rights: null, hosts: null });
    expect(readTokenForm({ ...NAMED, days: "" })).toMatchObject({ expiresInDays: null });
  });

  test("is narrowed to rights and hosts", () => {
    const form = { ...NAMED, hasAllRights: false, rights: ["container.read"] as const, hasAllHosts: false, hosts: ["h1"] };
    expect(readTokenForm(form)).toMatchObject({ rights: ["container.read"], hosts: ["h1"] });
  });

  test("what was chosen before all was chosen again does not count", () => {
    expect(readTokenForm({ ...NAMED, rights: ["container.read"], hosts: ["h1"] })).toMatchObject({ rights: null, hosts: null });
  });

  test.each([
    ["a name", { ...NAMED, name: "  " }],
    ["a right", { ...NAMED, hasAllRights: false }],
    ["a host", { ...NAMED, hasAllHosts: false }],
  ])("is not made without %s", (_what, form) => expect(readTokenForm(form)).toBeUndefined());
});

describe("lines that use a token", () => {
  test("name the page's own address", () => {
    const place = { origin: "http://127.0.0.1:7420", host: "local" };
    expect(curlLine(place, "flt_x")).toBe("curl -H 'Authorization: Bearer flt_x' http://127.0.0.1:7420/api/v1/containers");
    expect(dockerLines(place, "flt_x")).toBe(
      "export DOCKER_HOST=tcp://127.0.0.1:7420/docker/local\nexport DOCKER_CUSTOM_HEADERS='Authorization=Bearer flt_x'\ndocker ps",
    );
  });

  test("behind TLS docker is told so, and a port that goes without saying is said", () => {
    expect(dockerLines({ origin: "https://fleet.example.test", host: "rack 1" }, "flt_x").split("\n")).toEqual([
      "export DOCKER_HOST=tcp://fleet.example.test:443/docker/rack%201",
      "export DOCKER_CUSTOM_HEADERS='Authorization=Bearer flt_x'",
      "export DOCKER_TLS=1",
      "docker ps",
    ]);
  });
});
