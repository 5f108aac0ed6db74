import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeRegistries, readHostRegistries } from "./registry-settings.ts";

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "flotilla-registries-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const write = (content: unknown): void => writeFileSync(join(dataDir, "registries.json"), JSON.stringify(content));

describe("readHostRegistries", () => {
  test("has no settings when there is no file", async () => {
    const registries = await readHostRegistries(dataDir);
    expect(registries).toMatchObject({ defaultRegistry: undefined, domains: [] });
    expect(registries.settingsOf("docker.io")).toEqual({});
  });

  test("gives mirrors, insecurity and authorities of a registry", async () => {
    const caFile = join(dataDir, "ca.pem");
    writeFileSync(caFile, "PEM");
    write({
      registries: { "docker.io": { mirrors: ["https://mirror.example"] }, "a.example": { insecure: true }, "b.example": { caFile } },
    });
    const { settingsOf, domains } = await readHostRegistries(dataDir);
    expect(settingsOf("docker.io")).toMatchObject({ mirrors: ["https://mirror.example"] });
    expect(settingsOf("a.example")).toMatchObject({ isInsecure: true });
    expect(settingsOf("b.example")).toMatchObject({ ca: "PEM" });
    expect(domains).toEqual(["docker.io", "a.example", "b.example"]);
  });

  test.each([
    ["a misspelled key", { registries: { x: { insekure: true } } }],
    ["a mirror that is no address", { registries: { x: { mirrors: ["mirror"] } } }],
    ["an authority by a relative path", { registries: { x: { caFile: "ca.pem" } } }],
    ["an authority that is not there", { registries: { x: { caFile: "/nonexistent/ca.pem" } } }],
  ])("refuses %s", async (_, content) => {
    write(content);
    await expect(readHostRegistries(dataDir)).rejects.toMatchObject({ code: "invalid" });
  });
});

describe("describeRegistries", () => {
  test("says which registries are asked without checking who they are", async () => {
    write({ registries: { "a.example": { insecure: true }, "b.example": {}, "localhost:5000": {} } });
    const { RegistryConfig } = await describeRegistries(dataDir);
    expect(RegistryConfig).toMatchObject({
      IndexConfigs: {
        "docker.io": { Secure: true, Official: true },
        "a.example": { Secure: false },
        "b.example": { Secure: true },
        "localhost:5000": { Secure: false },
      },
    });
  });
});
