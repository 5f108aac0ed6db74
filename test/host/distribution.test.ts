// Pulls that are cut off, and registries that lie.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { DockerRegistry, Relay } from "../support/docker-registry.ts";
import { dockerArchive, tarOf } from "./storage-fixture.ts";

const MIB = 2 ** 20;

let agent: TestAgent;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "flotilla-distribution-"));
  agent = await startTestAgent({ withoutImage: true });
});
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await agent.close();
});

async function ok(args: readonly string[], input?: Buffer): Promise<string> {
  const result = await agent.docker(args, input === undefined ? {} : { input });
  expect(result, `docker ${args.join(" ")}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

/** Files of the agent's store, without what is shared by all. */
function storeFiles(): string[] {
  const data = join(agent.dir, "data", "agent");
  const list = (path: string): string[] => {
    try {
      return readdirSync(join(data, path)).map((name) => `${path}/${name}`);
    } catch {
      return [];
    }
  };
  return [...list("blobs/sha256"), ...list("layers").filter((name) => name !== "layers/0"), ...list("storage-tmp")];
}

function partialFiles(): string[] {
  const root = join(agent.dir, "data", "agent", "partial-blobs");
  return readdirSync(root).flatMap((entry) => readdirSync(join(root, entry)).map((name) => join(root, entry, name)));
}

function partialBytes(): number {
  return partialFiles().reduce(
    (sum, file) => sum + (file.endsWith(".data") ? (statSync(file, { throwIfNoEntry: false })?.size ?? 0) : 0),
    0,
  );
}

/** Until something is so, or a minute has passed. */
async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 600 && !isSo(); attempt++) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(isSo()).toBe(true);
}

describe("a pull that is cut off", () => {
  let registry: DockerRegistry;
  let relay: Relay;
  let name: string;
  const layerBytes = 24 * MIB;
  const layers = 3;

  beforeAll(async () => {
    registry = await DockerRegistry.start({ directory: join(dir, "registry") });
    relay = await Relay.start(registry.port);
    const source = `127.0.0.1:${registry.port}/big/app:1`;
    name = `${relay.host}/big/app:1`;
    const tars = await Promise.all(
      Array.from({ length: layers }, (_, at) => tarOf([{ name: `file-${at}`, content: randomBytes(layerBytes) }])),
    );
    await ok(["load"], await dockerArchive({ layers: tars, tags: [source] }));
    await ok(["push", source]);
    await ok(["rmi", source]);
  });
  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  test("by kill -9 of the agent transfers little more than the rest, and leaves nothing else behind", async () => {
    const whole = layerBytes * layers;
    relay.holdAfter = relay.received + whole * 0.9;
    const pulling = agent.docker(["pull", name]);
    await until(() => relay.received > (relay.holdAfter ?? 0));
    // What the sockets held at that moment is written too: the line is cut, then the agent dies.
    let kept = -1;
    for (let now = partialBytes(); now !== kept; now = partialBytes()) {
      kept = now;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await agent.kill();
    await pulling;
    await agent.start();
    expect(storeFiles()).toEqual([]);
    relay.holdAfter = undefined;
    const before = relay.received;
    expect(await ok(["pull", name])).toContain("Downloaded newer image");
    const again = (relay.received - before) / whole;
    process.stdout.write(`a pull cut at 90 %: ${(again * 100).toFixed(1)} % of the image were transferred again\n`);
    expect(again).toBeLessThan(0.12);
    expect(partialFiles()).toEqual([]);
    await ok(["rmi", name]);
  });

  test("by the client goes on with the next, and ends when nobody waits", async () => {
    const whole = layerBytes * layers;
    relay.holdAfter = relay.received + whole * 0.5;
    const client = spawn("docker", ["pull", name], { env: { ...process.env, DOCKER_HOST: agent.host }, stdio: "ignore" });
    const gone = once(client, "exit");
    await until(() => relay.received > (relay.holdAfter ?? 0));
    client.kill("SIGKILL");
    await gone;
    await until(() => storeFiles().length === 0);
    relay.holdAfter = undefined;
    const before = relay.received;
    await ok(["pull", name]);
    expect(relay.received - before).toBeLessThan(whole * 0.75);
    await ok(["rmi", name]);
  });

  test("two clients that want the same layers download them once", async () => {
    const before = relay.received;
    const results = await Promise.all([agent.docker(["pull", name]), agent.docker(["pull", name])]);
    expect(results.map((result) => result.exitCode)).toEqual([0, 0]);
    expect(relay.received - before).toBeLessThan(layerBytes * layers * 1.1);
    await ok(["rmi", name]);
  });
});

type Answers = {
  manifest: object;
  blobs: ReadonlyMap<string, Buffer | "endless">;
};

/** A registry that says what it is told to say. */
class ScriptedRegistry implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start({ manifest, blobs }: Answers): Promise<ScriptedRegistry> {
    const server = createServer((request, response) => {
      const [, kind = "", what = ""] = /^\/v2\/app\/(manifests|blobs)\/(.+)$/.exec(request.url ?? "") ?? [];
      if (kind === "manifests") {
        return response
          .writeHead(200, { "content-type": "application/vnd.docker.distribution.manifest.v2+json" })
          .end(JSON.stringify(manifest));
      }
      const blob = blobs.get(what);
      if (blob === "endless") {
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(MIB)));
          response.once("drain", more);
        };
        return more();
      }
      return blob === undefined ? response.writeHead(kind === "" ? 200 : 404).end() : response.writeHead(200).end(blob);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new ScriptedRegistry(server);
  }

  get image(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}/app`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

const LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/** What a registry says of an image of these layers; `said` replaces what is true. */
function imageOf(
  plain: readonly Buffer[],
  said: { layerDigest?: string; layerType?: string; layerBytes?: number } = {},
): { answers: Answers; config: Buffer } {
  const layers = plain.map((tar) => gzipSync(tar));
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: plain.map(digestOf) } }),
  );
  const blobs = new Map<string, Buffer | "endless">([[digestOf(config), config]]);
  const descriptors = layers.map((layer) => {
    const digest = said.layerDigest ?? digestOf(layer);
    blobs.set(digest, layer);
    return { mediaType: said.layerType ?? LAYER, digest, size: said.layerBytes ?? layer.length };
  });
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: "application/vnd.docker.container.image.v1+json", digest: digestOf(config), size: config.length },
    layers: descriptors,
  };
  return { answers: { manifest, blobs }, config };
}

describe("a registry that lies", () => {
  const other = `sha256:${"0".repeat(64)}`;

  async function refused(answers: Answers): Promise<string> {
    await using registry = await ScriptedRegistry.start(answers);
    const result = await agent.docker(["pull", registry.image]);
    expect(result.exitCode).not.toBe(0);
    await until(() => storeFiles().length === 0);
    expect((await agent.docker(["images", "-q"])).stdout).toBe("");
    return result.stderr;
  }

  test("about a layer's digest is refused", async () => {
    const { answers } = imageOf([await tarOf([{ name: "a", content: "a" }])], { layerDigest: other });
    expect(await refused(answers)).toContain(`filesystem layer verification failed for digest ${other}`);
  });

  test("about what a layer holds is refused", async () => {
    const tar = await tarOf([{ name: "a", content: "a" }]);
    const { answers, config } = imageOf([tar]);
    const wrong = Buffer.from(config.toString().replace(digestOf(tar), other));
    const manifest = {
      ...answers.manifest,
      config: { mediaType: "application/vnd.docker.container.image.v1+json", digest: digestOf(wrong), size: wrong.length },
    };
    expect(await refused({ manifest, blobs: new Map([...answers.blobs, [digestOf(wrong), wrong]]) })).toContain(
      "layer verification failed: expected",
    );
  });

  test("about a layer's size, without an end, is refused", async () => {
    const { answers } = imageOf([await tarOf([{ name: "a", content: "a" }])]);
    const [layer = ""] = [...answers.blobs.keys()].slice(1);
    expect(await refused({ ...answers, blobs: new Map([...answers.blobs, [layer, "endless" as const]]) })).toContain(
      "has another size than",
    );
  });

  test("with more layers than can be mounted is refused before anything is fetched", async () => {
    const tar = await tarOf([{ name: "a", content: "a" }]);
    const { answers } = imageOf(Array.from({ length: 1000 }, () => tar));
    expect(await refused(answers)).toContain("max depth exceeded");
  });

  test("with layers that lie elsewhere is refused", async () => {
    const layerType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    const { answers } = imageOf([await tarOf([{ name: "a", content: "a" }])], { layerType });
    expect(await refused(answers)).toContain("foreign layer");
  });

  test("with a layer that climbs out of its tree is refused", async () => {
    const { answers } = imageOf([await tarOf([{ name: "../../etc/passwd", content: "x" }])]);
    expect(await refused(answers)).toContain("outside of the root of extraction");
  });

  test("with a layer that is no tar is refused", async () => {
    const { answers } = imageOf([Buffer.from("this is not a tar archive at all".repeat(100))]);
    expect(await refused(answers)).toMatch(/tar/);
  });

  test("with a layer that grows out of all proportion is refused before the disk is full", async () => {
    // Five gigabytes of zeros behind five megabytes.
    const member = gzipSync(Buffer.alloc(512 * MIB));
    const bomb = Buffer.concat([gzipSync(zeroFileHeader(5 * 1024 * MIB)), ...Array.from({ length: 10 }, () => member)]);
    const { answers } = imageOf([Buffer.alloc(1024)]);
    const manifest = { ...answers.manifest, layers: [{ mediaType: LAYER, digest: digestOf(bomb), size: bomb.length }] };
    expect(await refused({ manifest, blobs: new Map([...answers.blobs, [digestOf(bomb), bomb]]) })).toContain("expands to more than");
  });
});

/** The header of a ustar file `bomb` of so many bytes. */
function zeroFileHeader(bytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write("bomb", 0);
  header.write(`0000644\0${"0000000\0".repeat(2)}${bytes.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0${" ".repeat(8)}0`, 100);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
