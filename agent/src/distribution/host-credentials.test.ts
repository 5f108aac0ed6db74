import { makeResource, REGISTRY_CREDENTIALS, type RegistryCredentials } from "@flotilla/protocol";
import { expect, test } from "vitest";
import { HostCredentials } from "./host-credentials.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const body: RegistryCredentials = {
  serverAddress: "flotilla.example.org",
  username: "flotilla-host",
  password: "signed",
  expiresAt: new Date(NOW + 1000).toISOString(),
  namespaces: ["blue"],
};

async function credentials(controlUrl: string | undefined, changes: Partial<RegistryCredentials> = {}): Promise<HostCredentials> {
  const made = new HostCredentials({ controlUrl: () => controlUrl, nowMs: () => NOW });
  expect(await made.apply([makeResource(REGISTRY_CREDENTIALS, { ...body, ...changes })])).toEqual([]);
  return made;
}

const CONTROL = "https://10.0.0.1:7420";
const LOOPBACK = "127.0.0.1:7420";

test.each([
  ["the configured address", CONTROL, {}, "flotilla.example.org", true],
  ["the address that was dialled", CONTROL, {}, "10.0.0.1:7420", true],
  ["another port", CONTROL, {}, "10.0.0.1:7421", false],
  ["no port where there is one", CONTROL, {}, "10.0.0.1", false],
  ["the default port in words", "https://f.example.org", {}, "f.example.org:443", true],
  ["capitals", CONTROL, {}, "Flotilla.Example.org", true],
  ["another registry", CONTROL, {}, "docker.io", false],
  ["a name that ends alike", CONTROL, {}, "evil-flotilla.example.org", false],
  ["loopback, dialled by another machine", CONTROL, { serverAddress: LOOPBACK }, LOOPBACK, false],
  ["loopback by name, dialled by another machine", CONTROL, { serverAddress: "localhost:1" }, "localhost:1", false],
  ["loopback, dialled there", `http://localhost:7420`, { serverAddress: LOOPBACK }, LOOPBACK, true],
  ["loopback as it was dialled", `http://${LOOPBACK}`, {}, LOOPBACK, true],
  ["no control plane", undefined, {}, "flotilla.example.org", false],
  ["an address that is none", CONTROL, { serverAddress: "a b" }, "a b", false],
  ["after its end", CONTROL, { expiresAt: new Date(NOW).toISOString() }, "flotilla.example.org", false],
] as const)("%s", async (_what, controlUrl, changes, domain, isFound) => {
  const found = (await credentials(controlUrl, changes)).find("blue", domain);
  expect(found).toEqual(isFound ? { username: "flotilla-host", password: "signed" } : undefined);
});

test("they are for the namespaces that they name", async () => {
  const made = await credentials(CONTROL);
  expect(made.find("green", "flotilla.example.org")).toBeUndefined();
  expect(made.find("default", "flotilla.example.org")).toBeUndefined();
});

test("they go when they are not wanted any more, and when they cannot be read, which is a failure", async () => {
  const made = await credentials(CONTROL);
  expect(await made.apply([makeResource(REGISTRY_CREDENTIALS, { username: 1 })])).toMatchObject([{ key: REGISTRY_CREDENTIALS }]);
  expect(made.find("blue", "flotilla.example.org")).toBeUndefined();
  expect(await (await credentials(CONTROL)).apply([])).toEqual([]);
});
