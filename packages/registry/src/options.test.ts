import { describe, expect, test } from "vitest";
import { endpointsOf } from "./endpoint.ts";
import { parseRegistryAuth } from "./options.ts";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("parseRegistryAuth", () => {
  test("reads Docker's header, and takes what is empty or malformed for nothing", () => {
    expect(parseRegistryAuth(encode({ username: "a", password: "ü/+", serveraddress: "x" }))).toMatchObject({
      username: "a",
      password: "ü/+",
    });
    expect(parseRegistryAuth(encode({ identitytoken: "t" }))).toEqual({ identitytoken: "t" });
    for (const header of [undefined, "", "e30=", "%%%", encode([]), encode({ username: 1 })])
      expect(parseRegistryAuth(header)).toBeUndefined();
  });
});

describe("endpointsOf", () => {
  const bases = (...args: Parameters<typeof endpointsOf>): string[] => {
    const { mirrors, own } = endpointsOf(...args);
    return [...mirrors, ...own].map(({ base, isUnverified }) => `${base.href}${isUnverified ? " unverified" : ""}`);
  };

  test("plain HTTP is for loopback and for what the operator calls insecure", () => {
    expect(bases("registry.example", {}, true)).toEqual(["https://registry.example/"]);
    expect(bases("registry.example:5000", { isInsecure: true }, true)).toEqual([
      "https://registry.example:5000/ unverified",
      "http://registry.example:5000/ unverified",
    ]);
    expect(bases("localhost:5000", {}, true)).toHaveLength(2);
    expect(bases("localhost:5000", { isInsecure: false }, true)).toEqual(["https://localhost:5000/"]);
    expect(bases("localhost:5000", { ca: "PEM" }, true)).toEqual(["https://localhost:5000/"]);
    expect(bases("docker.io", {}, true)).toEqual(["https://registry-1.docker.io/"]);
  });

  test("mirrors come first, for pulls only, with the path they have", () => {
    const settings = { mirrors: ["https://m.example/hub"] };
    expect(bases("docker.io", settings, true)[0]).toBe("https://m.example/hub/");
    expect(bases("docker.io", settings, false)).toEqual(["https://registry-1.docker.io/"]);
  });
});
