import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { MEDIA_TYPE, parseReference, type Digest } from "@flotilla/image";
import {
  digestOf,
  downloadBlob,
  fetchBlob,
  findManifest,
  listTags,
  PartialBlob,
  pushImage,
  RegistryClient,
  resolveImage,
  type Credentials,
  type OpenRepository,
  type PushProgress,
  type RegistrySettings,
} from "@flotilla/registry";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DockerRegistry, Relay } from "../support/docker-registry.ts";

const run = promisify(execFile);
const signal = new AbortController().signal;
const platform = { os: "linux", architecture: "amd64" };
/** "ann" with the password "s3cret". */
const HTPASSWD = "ann:$2b$04$rt0Z3al5xpLt70maeJNdm.M1wVIsq5rfrOpBJGj7wgHYFcBk71qf2\n";

type Image = {
  manifest: { schemaVersion: 2; mediaType: typeof MEDIA_TYPE.ociManifest; config: Blob; layers: Blob[] };
  bytes: Buffer;
  blobs: Map<Digest, Buffer>;
};
type Blob = { mediaType: string; digest: Digest; size: number };

/** An image of one layer: a tar with one file, gzipped, of about so many bytes. */
function imageOf(layerBytes: number): Image {
  const layerTar = tarOf("data", randomBytes(layerBytes));
  const layer = gzipSync(layerTar, { level: 1 });
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [digestOf(layerTar)] } }),
  );
  const blobs = new Map([layer, config].map((bytes) => [digestOf(bytes), bytes]));
  const describeBlob = (mediaType: string, bytes: Buffer): Blob => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = {
    schemaVersion: 2 as const,
    mediaType: MEDIA_TYPE.ociManifest,
    config: describeBlob(MEDIA_TYPE.ociConfig, config),
    layers: [describeBlob(MEDIA_TYPE.ociLayerGzip, layer)],
  };
  return { manifest, bytes: Buffer.from(JSON.stringify(manifest)), blobs };
}

/** POSIX ustar, one regular file. */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(
    "0000644\0" + "0000000\0".repeat(2) + content.length.toString(8).padStart(11, "0") + "\0" + "0".repeat(11) + "\0" + " ".repeat(8) + "0",
    100,
  );
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(1024 + ((512 - (content.length % 512)) % 512))]);
}

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "flotilla-registry-"));
});
const resources: (AsyncDisposable | Disposable)[] = [];

afterEach(async () => {
  for (const resource of resources.splice(0).reverse()) {
    if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
    else resource[Symbol.dispose]();
  }
  await rm(directory, { recursive: true, force: true });
});

function use<T extends AsyncDisposable | Disposable>(resource: T): T {
  resources.push(resource);
  return resource;
}

type Query = { action?: "pull" | "push"; settings?: RegistrySettings; credentials?: Credentials };

async function open(name: string, { action = "pull", settings = {}, credentials }: Query = {}): Promise<OpenRepository> {
  const client = use(
    new RegistryClient({
      settingsOf: () => settings,
      credentialsOf: async () => credentials,
      userAgent: "flotilla-test",
      random: () => 0,
      now: () => Date.now(),
    }),
  );
  return client.open({ reference: parseReference(name), action, signal });
}

async function push(repository: OpenRepository, image: Image, mountFrom: string[] = []): Promise<PushProgress[]> {
  const progress: PushProgress[] = [];
  await pushImage(repository, {
    reference: "v1",
    manifest: image.manifest,
    bytes: image.bytes,
    mediaType: MEDIA_TYPE.ociManifest,
    open: async function* ({ digest }, offset) {
      const bytes = image.blobs.get(digest) ?? Buffer.alloc(0);
      for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, Math.min(bytes.length, at + 65_536));
    },
    mountFrom: () => mountFrom,
    onProgress: (item) => progress.push(item),
    signal,
  });
  return progress;
}

/** Downloads the first layer; leaves after so many bytes. */
async function pullLayer(repository: OpenRepository, image: Image, leaveAfter = Number.POSITIVE_INFINITY): Promise<string> {
  const [blob] = image.manifest.layers;
  if (blob === undefined) throw new Error("no layer");
  await using partial = await PartialBlob.open({ directory, bootId: "boot", blob });
  const hash = createHash("sha256");
  let received = 0;
  for await (const chunk of downloadBlob(repository, { blob, partial, onProgress: () => undefined, signal })) {
    hash.update(chunk);
    received += chunk.length;
    if (received >= leaveAfter) return "left";
  }
  return `sha256:${hash.digest("hex")}`;
}

describe("Debian's docker-registry", () => {
  test("takes an image and gives it back, to us and to skopeo", async () => {
    const { port } = use(await DockerRegistry.start({ directory: join(directory, "registry") }));
    const host = `127.0.0.1:${port}`;
    const image = imageOf(3_000_000);
    const progress = await push(await open(`${host}/team/app`, { action: "push" }), image);
    expect([...new Set(progress.map(({ status }) => status))]).toEqual(["Preparing", "Pushing", "Pushed"]);

    const repository = await open(`${host}/team/app`);
    const { root, image: found } = await resolveImage(repository, { reference: parseReference(`${host}/team/app:v1`), platform, signal });
    expect(root.digest).toBe(digestOf(image.bytes));
    expect(await findManifest(repository, "v1", signal)).toMatchObject({ digest: root.digest, sizeBytes: image.bytes.length });
    expect(await fetchBlob(repository, found.manifest.config, { maxBytes: 10_000, signal })).toEqual(
      image.blobs.get(image.manifest.config.digest),
    );
    expect(await pullLayer(repository, image)).toBe(image.manifest.layers[0]?.digest);

    const target = join(directory, "copy");
    await run("skopeo", ["copy", "--src-tls-verify=false", `docker://${host}/team/app:v1`, `dir:${target}`]);
    expect(await readFile(join(target, "manifest.json"))).toEqual(image.bytes);
    // And the other way: what skopeo made of it, with Docker's media types and another compression, is read by us.
    await run("skopeo", [
      "copy",
      "--format",
      "v2s2",
      "--dest-tls-verify=false",
      "--dest-compress-format",
      "zstd",
      `dir:${target}`,
      `docker://${host}/team/other:v2`,
    ]).catch(() =>
      run("skopeo", ["copy", "--format", "v2s2", "--dest-tls-verify=false", `dir:${target}`, `docker://${host}/team/other:v2`]),
    );
    const other = await resolveImage(await open(`${host}/team/other`), {
      reference: parseReference(`${host}/team/other:v2`),
      platform,
      signal,
    });
    expect(other.image.mediaType).toBe(MEDIA_TYPE.dockerManifest);
  });

  test("mounts a blob from another repository, lists tags by pages, and knows what is there", async () => {
    const { port } = use(await DockerRegistry.start({ directory: join(directory, "registry") }));
    const host = `127.0.0.1:${port}`;
    const image = imageOf(10_000);
    await push(await open(`${host}/team/base`, { action: "push" }), image);
    expect(await push(await open(`${host}/team/app`, { action: "push" }), image, ["team/base"])).toContainEqual({
      status: "Mounted from",
      digest: image.manifest.layers[0]?.digest,
      repository: "team/base",
    });
    expect(await push(await open(`${host}/team/app`, { action: "push" }), image)).toContainEqual({
      status: "Layer already exists",
      digest: image.manifest.layers[0]?.digest,
    });
    for (const tag of ["a", "b", "c"])
      await run("skopeo", [
        "copy",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        `docker://${host}/team/app:v1`,
        `docker://${host}/team/app:${tag}`,
      ]);
    expect((await listTags(await open(`${host}/team/app`), { pageSize: 2, maxTags: 100, signal })).sort()).toEqual(["a", "b", "c", "v1"]);
    await expect(
      resolveImage(await open(`${host}/team/app`), { reference: parseReference(`${host}/team/app:nope`), platform, signal }),
    ).rejects.toMatchObject({
      code: "not_found",
      message: `manifest for ${host}/team/app:nope not found: manifest unknown: manifest unknown`,
    });
    await expect(
      resolveImage(await open(`${host}/none`), { reference: parseReference(`${host}/none:x`), platform, signal }),
    ).rejects.toMatchObject({ code: "not_found" });
  });

  test("a pull cut at 90 % transfers at most 12 % when it is repeated", async () => {
    const { port } = use(await DockerRegistry.start({ directory: join(directory, "registry") }));
    const relay = use(await Relay.start(port));
    const image = imageOf(20_000_000);
    const size = image.manifest.layers[0]?.size ?? 0;
    await push(await open(`${relay.host}/app`, { action: "push" }), image);
    expect(await pullLayer(await open(`${relay.host}/app`), image, size * 0.9)).toBe("left");
    relay.received = 0;
    expect(await pullLayer(await open(`${relay.host}/app`), image)).toBe(image.manifest.layers[0]?.digest);
    expect(relay.received).toBeLessThan(size * 0.12);
  });

  test("a connection that breaks in the middle of a pull or a push does not end it", async () => {
    const { port } = use(await DockerRegistry.start({ directory: join(directory, "registry") }));
    const relay = use(await Relay.start(port));
    const image = imageOf(20_000_000);
    const repository = await open(`${relay.host}/app`, { action: "push" });
    relay.cutAfter = { direction: "sent", bytes: 15_000_000 };
    const progress = await push(repository, image);
    expect(progress.map(({ status }) => status)).toContain("Retrying");
    relay.cutAfter = { direction: "received", bytes: 15_000_000 };
    relay.received = 0;
    expect(await pullLayer(await open(`${relay.host}/app`), image)).toBe(image.manifest.layers[0]?.digest);
    expect(relay.received).toBeLessThan(25_000_000);
  });

  test("a password is asked for and checked", async () => {
    const { port } = use(await DockerRegistry.start({ directory: join(directory, "registry"), htpasswd: HTPASSWD }));
    const host = `127.0.0.1:${port}`;
    const credentials = { username: "ann", password: "s3cret" };
    const client = use(
      new RegistryClient({
        settingsOf: () => ({}),
        credentialsOf: async () => undefined,
        userAgent: "t",
        random: () => 0,
        now: () => Date.now(),
      }),
    );
    await client.checkLogin(host, credentials, signal);
    await expect(client.checkLogin(host, { username: "ann", password: "wrong" }, signal)).rejects.toMatchObject({
      code: "unauthenticated",
    });
    const image = imageOf(1000);
    await push(await open(`${host}/app`, { action: "push", credentials }), image);
    expect(await pullLayer(await open(`${host}/app`, { credentials }), image)).toBe(image.manifest.layers[0]?.digest);
    await expect(
      resolveImage(await open(`${host}/app`), { reference: parseReference(`${host}/app:v1`), platform, signal }),
    ).rejects.toThrow(`pull access denied for ${host}/app, repository does not exist or may require 'docker login'`);
  });

  test("a certificate is checked against the registry's own authority", async () => {
    const certificate = join(directory, "cert.pem");
    const key = join(directory, "key.pem");
    const otherKey = join(directory, "other-key.pem");
    const other = join(directory, "other.pem");
    for (const [keyFile, file] of [
      [key, certificate],
      [otherKey, other],
    ] as const) {
      const subject = ["-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1"];
      await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, "-keyout", keyFile, "-out", file]);
    }
    const { port } = use(await DockerRegistry.start({ directory: join(directory, "registry"), tls: { certificate, key } }));
    const name = `127.0.0.1:${port}/app`;
    const query = { reference: parseReference(`${name}:v1`), platform, signal };
    const image = imageOf(1000);
    const ca = await readFile(certificate, "utf8");
    await push(await open(name, { action: "push", settings: { ca } }), image);
    const foreign = { ca: await readFile(other, "utf8") };
    await expect(open(name, { settings: foreign }).then((repository) => resolveImage(repository, query))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/certificate|self.signed/),
    });
    // Loopback is insecure unless an authority is named, as in Docker.
    expect((await resolveImage(await open(name), query)).root.digest).toBe(digestOf(image.bytes));
  });
});
