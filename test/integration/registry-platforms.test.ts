import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { digestOf, OCI_INDEX, OCI_MANIFEST, registryClient, type RegistryClient } from "../support/registry-client.ts";

// The platforms that the list of tags shows.
const NAME = "team/app";
let control: TestControl;
let registry: RegistryClient;

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  registry = registryClient(control, ADMIN_TOKEN);
});
afterAll(() => control.close());

async function put(reference: string, mediaType: string, content: unknown): Promise<string> {
  const body = JSON.stringify({ schemaVersion: 2, mediaType, ...(content as object) });
  const init = { method: "PUT", headers: { "content-type": mediaType }, body };
  const response = await registry.fetch(`/v2/${NAME}/manifests/${reference}`, init);
  expect(response.status).toBe(201);
  return digestOf(body);
}

async function pushWithConfig(tag: string, config: string, mediaType = "application/vnd.oci.image.config.v1+json"): Promise<void> {
  const digest = await registry.pushBlob(NAME, Buffer.from(config));
  await put(tag, OCI_MANIFEST, { config: { mediaType, digest, size: config.length }, layers: [] });
}

async function platforms(): Promise<Record<string, string[]>> {
  const rows = (await control.call("registry.tags.list", { repository: NAME }, { token: ADMIN_TOKEN })) as {
    name: string;
    platforms: string[];
  }[];
  return Object.fromEntries(rows.map((row) => [row.name, row.platforms]));
}

const config = (more: object): string => JSON.stringify({ os: "linux", rootfs: { type: "layers", diff_ids: [] }, ...more });

test("of an image come from its configuration, of an index from the index, and of neither there are none", async () => {
  await pushWithConfig("one", config({ architecture: "arm64", variant: "v8" }));
  await pushWithConfig("attestation", config({ os: "unknown", architecture: "unknown" }));
  await pushWithConfig("artifact", "not JSON at all", "application/vnd.example.thing");
  await pushWithConfig("huge", config({ architecture: "amd64", config: { Env: ["A".repeat(1024 * 1024)] } }));
  const image = await registry.pushImage(NAME, "plain");
  const part = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.size };
  await put("index", OCI_INDEX, { manifests: [{ ...part, platform: { os: "linux", architecture: "s390x" } }] });
  const expected = {
    one: ["linux/arm64/v8"],
    attestation: [],
    artifact: [],
    huge: [],
    plain: ["linux/amd64"],
    index: ["linux/s390x"],
  };
  expect(await platforms()).toEqual(expected);
  // Read once: the second answer comes from the rows.
  const kept = await control.services.prisma.registryManifest.findMany({ where: { tags: { some: {} } }, include: { tags: true } });
  expect(Object.fromEntries(kept.map((row) => [row.tags[0]?.name, row.platform]))).toEqual({
    one: "linux/arm64/v8",
    attestation: "",
    artifact: "",
    huge: "",
    plain: "linux/amd64",
    index: null,
  });
  await control.services.prisma.registryManifest.updateMany({ where: { platform: "linux/amd64" }, data: { platform: "linux/kept" } });
  expect(await platforms()).toEqual({ ...expected, plain: ["linux/kept"] });
});
