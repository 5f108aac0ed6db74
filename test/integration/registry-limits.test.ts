import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { digestOf, errorOf, OCI_MANIFEST, registryClient, type RegistryClient } from "../support/registry-client.ts";

// What no decent client sends, and the limits that pushes meet (attacks.md 14).
let control: TestControl;
let admin: RegistryClient;

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  admin = registryClient(control, ADMIN_TOKEN);
});
afterAll(() => control.close());

describe("bad input", () => {
  test("names that leave the grammar are refused, however they are written", async () => {
    for (const name of [
      "team/../../etc",
      "team/%2e%2e/x",
      "team/..%2fx",
      "Team/app",
      "team//x",
      "team/a%00b",
      "team/a\\b",
      "app",
      `team/${"a".repeat(300)}`,
    ]) {
      const status = await raw(`GET /v2/${name}/tags/list HTTP/1.1`);
      expect(status).toMatch(/ (400|403|404) /);
    }
    expect(await errorOf(await admin.fetch("/v2/team/app/blobs/sha256:..%2F..%2Fsecrets.json"))).toMatchObject({
      status: 404,
      code: "NAME_UNKNOWN",
    });
    expect(await errorOf(await admin.fetch("/v2/team/app/blobs/sha256:abc"))).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    expect(await errorOf(await admin.fetch("/v2/team/app/blobs/uploads/..%2f..%2fsecrets.json"))).toMatchObject({ status: 404 });
    expect(await errorOf(await admin.fetch("/v2/team/app/manifests/a%20b"))).toMatchObject({ status: 400, code: "MANIFEST_INVALID" });
  });

  test("a length of four gigabytes that never comes takes no space and stores nothing", async () => {
    const begun = await admin.fetch("/v2/team/liar/blobs/uploads/", { method: "POST" });
    const location = begun.headers.get("location") ?? "";
    await abandon(
      `PATCH ${location} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nContent-Length: 4294967296\r\n\r\nonly this`,
    );
    // How much of it was read before the line broke is the network's matter: the server says, and one goes on from there.
    await admin.fetch(location);
    const { offset } = await control.services.prisma.registryUpload.findUniqueOrThrow({ where: { id: location.split("/").at(-1) ?? "" } });
    expect(["", "only this"]).toContain("only this".slice(0, Number(offset)));
    const put = await admin.fetch(`${location}?digest=${digestOf("only this")}`, {
      method: "PUT",
      body: "only this".slice(Number(offset)),
    });
    expect(put.status).toBe(201);
  });

  test("a Content-Range that does not fit the body is refused", async () => {
    const begun = await admin.fetch("/v2/team/liar/blobs/uploads/", { method: "POST" });
    const location = begun.headers.get("location") ?? "";
    const patch = (range: string): Promise<Response> =>
      admin.fetch(location, { method: "PATCH", body: "0123456789", headers: { "content-range": range } });
    expect(await errorOf(await patch("0-99"))).toMatchObject({ status: 400, code: "SIZE_INVALID" });
    expect(await errorOf(await patch("9-0"))).toMatchObject({ status: 400, code: "BLOB_UPLOAD_INVALID" });
    expect(await errorOf(await patch("0-1e9"))).toMatchObject({ status: 400, code: "BLOB_UPLOAD_INVALID" });
    expect((await admin.fetch(location)).headers.get("range")).toBe("0-0");
  });

  test("an immutable tag is not moved and not deleted, by any way", async () => {
    const image = await admin.pushImage("team/frozen", "v1.0");
    await control.call(
      "registry.repositories.update",
      { repository: "team/frozen", immutableTags: "v*" },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    await expect(admin.pushImage("team/frozen", "v1.0")).rejects.toMatchObject({ status: 403 });
    const same = await admin.fetch("/v2/team/frozen/manifests/v1.0", {
      method: "PUT",
      headers: { "content-type": OCI_MANIFEST },
      body: image.manifest,
    });
    expect(same.status).toBe(201);
    expect((await admin.fetch("/v2/team/frozen/manifests/v1.0", { method: "DELETE" })).status).toBe(403);
    expect((await admin.fetch(`/v2/team/frozen/manifests/${image.digest}`, { method: "DELETE" })).status).toBe(403);
    await admin.pushImage("team/frozen", "latest");
    await admin.pushImage("team/frozen", "latest");
  });

  test("the quota holds for one push, for pushes beside each other, and lets go when it is lifted", async () => {
    const usage = (await control.call("registry.usage.get", undefined, { token: ADMIN_TOKEN })) as {
      usedBytes: number;
      uploadBytes: number;
    };
    const limitBytes = Math.ceil(usage.usedBytes + usage.uploadBytes) + 250_000;
    await control.call("registry.usage.setQuota", { limitBytes }, { kind: "mutation", token: ADMIN_TOKEN });
    const pushes = await Promise.allSettled(Array.from({ length: 6 }, () => admin.pushBlob("team/hungry", randomBytes(100_000))));
    expect(pushes.filter((push) => push.status === "fulfilled").length).toBeLessThanOrEqual(2);
    const after = (await control.call("registry.usage.get", undefined, { token: ADMIN_TOKEN })) as { usedBytes: number };
    expect(after.usedBytes).toBeLessThanOrEqual(limitBytes);
    const refused = await admin.fetch(`/v2/team/hungry/blobs/uploads/?digest=${digestOf("x")}`, {
      method: "POST",
      body: randomBytes(1_000_000),
    });
    expect(await errorOf(refused)).toMatchObject({ status: 403, code: "DENIED", message: expect.stringContaining("quota") as string });
    await control.call("registry.usage.setQuota", { limitBytes: null }, { kind: "mutation", token: ADMIN_TOKEN });
    await admin.pushBlob("team/hungry", randomBytes(300_000));
  });
});

/** The status line of a request that no client library would send. */
function raw(requestLine: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(control.port, "127.0.0.1", () =>
      socket.write(`${requestLine}\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nConnection: close\r\n\r\n`),
    );
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => resolve(text.split("\r\n")[0] ?? ""));
    socket.on("error", reject);
  });
}

/** Sends a beginning and hangs up. */
function abandon(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(control.port, "127.0.0.1", () => socket.write(text, () => setTimeout(() => socket.destroy(), 100)));
    socket.on("close", () => resolve());
    socket.on("error", reject);
  });
}
