import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { digestOf, errorOf, OCI_INDEX, OCI_MANIFEST, registryClient, type RegistryClient } from "../support/registry-client.ts";

// The OCI distribution specification 1.1 over real sockets, Postgres and files.
let control: TestControl;
let client: RegistryClient;
const NAME = "team/app";

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  client = registryClient(control, ADMIN_TOKEN);
});
afterAll(() => control.close());

const begin = async (name = NAME): Promise<string> => {
  const response = await client.fetch(`/v2/${name}/blobs/uploads/`, { method: "POST" });
  expect(response.status).toBe(202);
  expect(response.headers.get("range")).toBe("0-0");
  return response.headers.get("location") ?? "";
};

describe("blobs", () => {
  test("a blob pushed whole is served whole, by range, and by its headers", async () => {
    const bytes = randomBytes(3_000_000);
    const digest = await client.pushBlob(NAME, bytes);
    const got = await client.fetch(`/v2/${NAME}/blobs/${digest}`);
    expect(got.status).toBe(200);
    expect(got.headers.get("docker-content-digest")).toBe(digest);
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digest);
    const head = await client.fetch(`/v2/${NAME}/blobs/${digest}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "3000000"]);
    const part = await client.fetch(`/v2/${NAME}/blobs/${digest}`, { headers: { range: "bytes=10-19" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 10-19/3000000"]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20));
    const tail = await client.fetch(`/v2/${NAME}/blobs/${digest}`, { headers: { range: "bytes=-5" } });
    expect(Buffer.from(await tail.arrayBuffer())).toEqual(bytes.subarray(-5));
    const beyond = await client.fetch(`/v2/${NAME}/blobs/${digest}`, { headers: { range: "bytes=3000000-" } });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */3000000"]);
    const same = await client.fetch(`/v2/${NAME}/blobs/${digest}`, { headers: { "if-none-match": `"${digest}"` } });
    expect(same.status).toBe(304);
  });

  test("a whole blob goes in one POST", async () => {
    const bytes = randomBytes(1000);
    const response = await client.fetch(`/v2/${NAME}/blobs/uploads/?digest=${digestOf(bytes)}`, { method: "POST", body: bytes });
    expect([response.status, response.headers.get("location")]).toEqual([201, `/v2/${NAME}/blobs/${digestOf(bytes)}`]);
  });

  test("an empty blob is a blob", async () => {
    const digest = await client.pushBlob(NAME, new Uint8Array());
    const got = await client.fetch(`/v2/${NAME}/blobs/${digest}`);
    expect([got.status, (await got.arrayBuffer()).byteLength]).toEqual([200, 0]);
  });

  test("chunks are taken in order only, and 416 says where to go on", async () => {
    const bytes = randomBytes(3000);
    const location = await begin();
    const patch = (start: number, end: number): Promise<Response> =>
      client.fetch(location, { method: "PATCH", body: bytes.subarray(start, end), headers: { "content-range": `${start}-${end - 1}` } });
    const first = await patch(0, 1000);
    expect([first.status, first.headers.get("range"), first.headers.get("location")]).toEqual([202, "0-999", location]);
    const gap = await patch(2000, 3000);
    expect([gap.status, gap.headers.get("range"), gap.headers.get("location")]).toEqual([416, "0-999", location]);
    expect((await patch(0, 1000)).status).toBe(416);
    expect((await patch(1000, 2000)).status).toBe(202);
    const status = await client.fetch(location);
    expect([status.status, status.headers.get("range")]).toEqual([204, "0-1999"]);
    const last = await client.fetch(`${location}?digest=${digestOf(bytes)}`, {
      method: "PUT",
      body: bytes.subarray(2000),
      headers: { "content-range": "2000-2999" },
    });
    expect(last.status).toBe(201);
  });

  test("an upload goes on after a restart of the control plane", async () => {
    const bytes = randomBytes(200_000);
    const location = await begin();
    await client.fetch(location, { method: "PATCH", body: bytes.subarray(0, 120_000) });
    await control.restart();
    const status = await client.fetch(location);
    expect(status.headers.get("range")).toBe("0-119999");
    await client.fetch(location, { method: "PATCH", body: bytes.subarray(120_000) });
    expect((await client.fetch(`${location}?digest=${digestOf(bytes)}`, { method: "PUT" })).status).toBe(201);
    const got = await client.fetch(`/v2/${NAME}/blobs/${digestOf(bytes)}`);
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digestOf(bytes));
  });

  test("what arrived before a connection broke counts, and the upload goes on behind it", async () => {
    const bytes = randomBytes(4_000_000);
    const location = await begin();
    await brokenPatch(location, bytes.subarray(0, 3_000_000), 4_000_000);
    const status = await client.fetch(location);
    const offset = Number((status.headers.get("range") ?? "").split("-")[1]) + 1;
    expect(offset).toBeGreaterThanOrEqual(1_000_000);
    expect(offset).toBeLessThanOrEqual(3_000_000);
    const put = await client.fetch(`${location}?digest=${digestOf(bytes)}`, { method: "PUT", body: bytes.subarray(offset) });
    expect(put.status).toBe(201);
  });

  test("a wrong digest ends the upload, and nothing of it is served", async () => {
    const location = await begin();
    const wrong = digestOf("something else");
    const put = await client.fetch(`${location}?digest=${wrong}`, { method: "PUT", body: randomBytes(10) });
    expect(await errorOf(put)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    expect((await client.fetch(`/v2/${NAME}/blobs/${wrong}`)).status).toBe(404);
    expect(await errorOf(await client.fetch(location))).toMatchObject({ status: 404, code: "BLOB_UPLOAD_UNKNOWN" });
  });

  test("a cancelled upload is gone", async () => {
    const location = await begin();
    expect((await client.fetch(location, { method: "DELETE" })).status).toBe(204);
    expect((await client.fetch(location, { method: "PATCH", body: "x" })).status).toBe(404);
  });

  test("the same blob pushed many times at once is stored once and right", async () => {
    const bytes = randomBytes(400_000);
    await Promise.all(Array.from({ length: 8 }, (_, index) => client.pushBlob(`team/many-${index % 4}`, bytes)));
    expect(await control.services.prisma.registryBlob.count({ where: { digest: digestOf(bytes) } })).toBe(1);
    const got = await client.fetch(`/v2/team/many-3/blobs/${digestOf(bytes)}`);
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digestOf(bytes));
  });

  test("a blob of another repository is mounted without its bytes; one that is nowhere begins an upload", async () => {
    const digest = await client.pushBlob("team/source", randomBytes(100));
    const mounted = await client.fetch(`/v2/team/target/blobs/uploads/?mount=${digest}&from=team/source`, { method: "POST" });
    expect([mounted.status, mounted.headers.get("location")]).toEqual([201, `/v2/team/target/blobs/${digest}`]);
    expect((await client.fetch(`/v2/team/target/blobs/${digest}`, { method: "HEAD" })).status).toBe(200);
    const absent = await client.fetch(`/v2/team/target/blobs/uploads/?mount=${digestOf("x")}&from=team/source`, { method: "POST" });
    expect(absent.status).toBe(202);
  });
});

describe("manifests", () => {
  test("an image is pushed by tag, read by tag and digest, and keeps its bytes and type", async () => {
    const image = await client.pushImage(NAME, "v1");
    for (const reference of ["v1", image.digest]) {
      const got = await client.fetch(`/v2/${NAME}/manifests/${reference}`);
      expect([got.status, got.headers.get("content-type"), got.headers.get("docker-content-digest")]).toEqual([
        200,
        OCI_MANIFEST,
        image.digest,
      ]);
      expect(await got.text()).toBe(image.manifest);
    }
    const head = await client.fetch(`/v2/${NAME}/manifests/v1`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(image.size)]);
  });

  test("a manifest whose blobs are not here is refused and leaves no tag", async () => {
    const image = await client.pushImage(NAME);
    const put = await client.fetch("/v2/team/elsewhere/manifests/v1", {
      method: "PUT",
      headers: { "content-type": OCI_MANIFEST },
      body: image.manifest,
    });
    expect(await errorOf(put)).toMatchObject({ status: 400, code: "MANIFEST_BLOB_UNKNOWN" });
    expect((await client.fetch("/v2/team/elsewhere/manifests/v1")).status).toBe(404);
  });

  test("wrong sizes, types, digests and garbage are refused in the specification's words", async () => {
    const image = await client.pushImage(NAME);
    const put = (body: string, reference = "bad", type = OCI_MANIFEST): Promise<Response> =>
      client.fetch(`/v2/${NAME}/manifests/${reference}`, { method: "PUT", headers: { "content-type": type }, body });
    const wrongSize = image.manifest.replace('"size":5000', '"size":4999');
    expect(await errorOf(await put(wrongSize))).toMatchObject({ status: 400, code: "MANIFEST_INVALID" });
    expect(await errorOf(await put("{"))).toMatchObject({ status: 400, code: "MANIFEST_INVALID" });
    expect(await errorOf(await put(image.manifest, "bad", "text/html"))).toMatchObject({ status: 400, code: "MANIFEST_INVALID" });
    expect(await errorOf(await put(image.manifest, "bad", OCI_INDEX))).toMatchObject({ status: 400, code: "MANIFEST_INVALID" });
    expect(await errorOf(await put(image.manifest, digestOf("other")))).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    expect(await errorOf(await put(`${image.manifest}${" ".repeat(4 * 1024 * 1024)}`))).toMatchObject({
      status: 413,
      code: "SIZE_INVALID",
    });
    expect((await client.fetch(`/v2/${NAME}/manifests/bad`)).status).toBe(404);
  });

  test("an index needs its manifests, and they cannot go before it", async () => {
    const image = await client.pushImage("team/multi");
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: image.digest, size: image.size, platform: { os: "linux", architecture: "amd64" } }],
    });
    const put = (name: string): Promise<Response> =>
      client.fetch(`/v2/${name}/manifests/latest`, { method: "PUT", headers: { "content-type": OCI_INDEX }, body: index });
    expect(await errorOf(await put("team/empty"))).toMatchObject({ code: "MANIFEST_BLOB_UNKNOWN" });
    expect((await put("team/multi")).status).toBe(201);
    const held = await client.fetch(`/v2/team/multi/manifests/${image.digest}`, { method: "DELETE" });
    expect(await errorOf(held)).toMatchObject({ status: 403, code: "DENIED" });
    expect((await client.fetch(`/v2/team/multi/manifests/${digestOf(index)}`, { method: "DELETE" })).status).toBe(202);
    expect((await client.fetch(`/v2/team/multi/manifests/${image.digest}`, { method: "DELETE" })).status).toBe(202);
  });

  test("deleting a tag keeps the manifest; deleting the manifest takes its tags; a blob in use stays", async () => {
    const image = await client.pushImage("team/gone", "a");
    await client.fetch("/v2/team/gone/manifests/b", { method: "PUT", headers: { "content-type": OCI_MANIFEST }, body: image.manifest });
    expect((await client.fetch("/v2/team/gone/manifests/a", { method: "DELETE" })).status).toBe(202);
    expect((await client.fetch("/v2/team/gone/manifests/a")).status).toBe(404);
    expect((await client.fetch(`/v2/team/gone/manifests/${image.digest}`)).status).toBe(200);
    expect((await client.fetch(`/v2/team/gone/blobs/${image.layer}`, { method: "DELETE" })).status).toBe(403);
    expect((await client.fetch(`/v2/team/gone/manifests/${image.digest}`, { method: "DELETE" })).status).toBe(202);
    expect(await errorOf(await client.fetch("/v2/team/gone/manifests/b"))).toMatchObject({ status: 404, code: "MANIFEST_UNKNOWN" });
    expect((await client.fetch(`/v2/team/gone/blobs/${image.layer}`, { method: "DELETE" })).status).toBe(202);
    expect((await client.fetch(`/v2/team/gone/blobs/${image.layer}`)).status).toBe(404);
  });

  test("referrers are listed and filtered, also of a subject that is not here", async () => {
    const image = await client.pushImage("team/signed", "v1");
    const subject = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.size };
    const signature = await client.pushImage("team/signed", undefined, { subject, artifactType: "application/vnd.example.signature" });
    await client.pushImage("team/signed", undefined, { subject, artifactType: "application/vnd.example.sbom" });
    const list = async (query: string): Promise<{ response: Response; types: (string | undefined)[] }> => {
      const response = await client.fetch(`/v2/team/signed/referrers/${image.digest}${query}`);
      const body = (await response.json()) as { manifests: { artifactType?: string }[] };
      return { response, types: body.manifests.map((found) => found.artifactType) };
    };
    const all = await list("");
    expect([all.response.headers.get("content-type"), all.types.length]).toEqual([OCI_INDEX, 2]);
    const some = await list("?artifactType=application/vnd.example.signature");
    expect([some.response.headers.get("oci-filters-applied"), some.types]).toEqual(["artifactType", ["application/vnd.example.signature"]]);
    const again = await client.fetch(`/v2/team/signed/manifests/${signature.digest}`, {
      method: "PUT",
      headers: { "content-type": OCI_MANIFEST },
      body: signature.manifest,
    });
    expect(again.headers.get("oci-subject")).toBe(image.digest);
    const none = await client.fetch(`/v2/team/signed/referrers/${digestOf("nothing")}`);
    expect([none.status, ((await none.json()) as { manifests: unknown[] }).manifests]).toEqual([200, []]);
  });
});

describe("listings", () => {
  test("tags come in byte order and in pages", async () => {
    const image = await client.pushImage("team/tags", "b");
    for (const tag of ["a", "C", "1.0", "z"]) {
      await client.fetch(`/v2/team/tags/manifests/${tag}`, {
        method: "PUT",
        headers: { "content-type": OCI_MANIFEST },
        body: image.manifest,
      });
    }
    const all = await client.fetch("/v2/team/tags/tags/list");
    expect(await all.json()).toEqual({ name: "team/tags", tags: ["1.0", "C", "a", "b", "z"] });
    const first = await client.fetch("/v2/team/tags/tags/list?n=2");
    expect(await first.json()).toMatchObject({ tags: ["1.0", "C"] });
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(await (await client.fetch(next)).json()).toMatchObject({ tags: ["a", "b"] });
    const last = await client.fetch("/v2/team/tags/tags/list?n=2&last=b");
    expect([await last.json(), last.headers.get("link")]).toEqual([{ name: "team/tags", tags: ["z"] }, null]);
    expect(await (await client.fetch("/v2/team/tags/tags/list?n=0")).json()).toMatchObject({ tags: [] });
    expect((await client.fetch("/v2/team/tags/tags/list?n=-1")).status).toBe(400);
  });

  test("what is not here is named with the specification's codes", async () => {
    expect(await errorOf(await client.fetch("/v2/team/never/tags/list"))).toMatchObject({ status: 404, code: "NAME_UNKNOWN" });
    expect(await errorOf(await client.fetch("/v2/team/app/manifests/never"))).toMatchObject({ status: 404, code: "MANIFEST_UNKNOWN" });
    expect(await errorOf(await client.fetch(`/v2/team/app/blobs/${digestOf("never")}`))).toMatchObject({
      status: 404,
      code: "BLOB_UNKNOWN",
    });
    expect(await errorOf(await client.fetch("/v2/team/app/manifests/v1", { method: "POST" }))).toMatchObject({
      status: 405,
      code: "UNSUPPORTED",
    });
  });
});

/** Announces more than it sends, and drops the connection once part of it is stored. */
async function brokenPatch(location: string, bytes: Uint8Array, announced: number): Promise<void> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-length": announced };
  const req = request(`${control.url}${location}`, { method: "PATCH", headers });
  const closed = new Promise<void>((resolve, reject) => {
    req.on("error", () => resolve());
    req.on("response", () => reject(new Error("an unfinished request was answered")));
  });
  req.write(bytes);
  const key = `uploads/${location.split("/").at(-1) ?? ""}`;
  await expect.poll(async () => (await control.services.registry.storage.stat(key))?.size ?? 0).toBeGreaterThan(1_000_000);
  req.destroy();
  await closed;
}
