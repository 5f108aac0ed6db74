import { spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import type { Case, Engines, Row } from "./case.ts";
import { DOCKERD_NETNS } from "./dockerd.ts";
import { command, median } from "./measure.ts";

const LAYERS = 6;
const FILES = 160;
/** Half of it does not compress: with 160 files in each of six layers this makes 500 MB. */
const FILE_BYTES = 520_000;
const ROUNDS = 4;

type Name = "dockerd" | "flotilla";

/** Debian's docker-registry once per engine, on the same loopback port of the network namespace that the engine is in. */
class Registries {
  readonly address: string;
  readonly #processes: ChildProcess[];
  readonly #data: Record<Name, string>;

  private constructor(port: number, processes: ChildProcess[], data: Record<Name, string>) {
    this.address = `127.0.0.1:${port}`;
    this.#processes = processes;
    this.#data = data;
  }

  static async start(dir: string, data: Record<Name, string>): Promise<Registries> {
    const port = await freePort();
    const processes: ChildProcess[] = [];
    for (const name of ["dockerd", "flotilla"] as const) {
      mkdirSync(data[name], { recursive: true });
      const config = join(dir, `registry-${name}.json`);
      const storage = { filesystem: { rootdirectory: data[name] }, delete: { enabled: true } };
      // JSON is YAML.
      writeFileSync(config, JSON.stringify({ version: "0.1", log: { level: "error" }, storage, http: { addr: `127.0.0.1:${port}` } }));
      const serve = ["docker-registry", "serve", config];
      const [file = "", ...args] = name === "dockerd" ? ["nsenter", `--net=/run/netns/${DOCKERD_NETNS}`, ...serve] : serve;
      processes.push(spawn(file, args, { stdio: "ignore" }));
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return new Registries(port, processes, data);
  }

  /** As if nothing had ever been pushed. */
  empty(name: Name): void {
    rmSync(join(this.#data[name], "docker"), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null) continue;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
  }
}

/** `docker pull` of 500 MB in 6 layers, the image removed before each round. */
export const pull: Case = async (engines) => {
  const dir = join(engines.dir, "pull");
  const data = join(dir, "data");
  const registries = await Registries.start(makeDirectory(dir), { dockerd: data, flotilla: data });
  try {
    const image = `${registries.address}/bench/big:1`;
    await dockerOf(engines.flotilla.host, "load", "-i", await makeArchive(dir, image));
    await dockerOf(engines.flotilla.host, "push", image);
    await dockerOf(engines.flotilla.host, "rmi", image);
    const row = await measure(engines, "docker pull, 500 MB in 6 layers", "≤ 0.7", {
      before: () => Promise.resolve(),
      run: (name) => dockerOf(hostOf(engines, name), "pull", image),
      after: (name) => dockerOf(hostOf(engines, name), "rmi", image),
    });
    return [row];
  } finally {
    await registries.close();
    rmSync(dir, { recursive: true, force: true });
  }
};

/** `docker push` of the same into a registry that has nothing of it. The image was pulled or loaded compressed. */
export const push: Case = async (engines) => {
  const dir = join(engines.dir, "push");
  const registries = await Registries.start(makeDirectory(dir), { dockerd: join(dir, "d"), flotilla: join(dir, "f") });
  try {
    const image = `${registries.address}/bench/big:1`;
    const archive = await makeArchive(dir, image);
    for (const host of [engines.dockerd.host, engines.flotilla.host]) await dockerOf(host, "load", "-i", archive);
    const row = await measure(engines, "docker push, 500 MB in 6 layers", "≤ 0.8", {
      before: (name) => Promise.resolve(registries.empty(name)),
      run: (name) => dockerOf(hostOf(engines, name), "push", image),
      after: () => Promise.resolve(),
    });
    for (const host of [engines.dockerd.host, engines.flotilla.host]) await dockerOf(host, "rmi", image);
    return [row];
  } finally {
    await registries.close();
    rmSync(dir, { recursive: true, force: true });
  }
};

type Steps = { before(name: Name): Promise<unknown>; run(name: Name): Promise<unknown>; after(name: Name): Promise<unknown> };

/** The first round warms up and is not counted. */
async function measure(engines: Engines, name: string, target: string, steps: Steps): Promise<Row> {
  const samples: Record<Name, number[]> = { dockerd: [], flotilla: [] };
  for (let round = 0; round <= Math.min(ROUNDS, engines.rounds); round++) {
    for (const engine of ["dockerd", "flotilla"] as const) {
      await steps.before(engine);
      const startedAt = performance.now();
      await steps.run(engine);
      if (round > 0) samples[engine].push(performance.now() - startedAt);
      await steps.after(engine);
    }
  }
  const [dockerd, flotilla] = [median(samples.dockerd), median(samples.flotilla)];
  return { name, unit: "ms", flotilla, dockerd, ratio: flotilla / dockerd, target, samples };
}

/** A Docker archive with layers that are half random. @returns its path. */
export async function makeArchive(dir: string, tag: string): Promise<string> {
  const root = join(dir, "archive");
  const text = Buffer.from("the quick brown fox jumps over the lazy dog, line after line, as programs and manuals do\n".repeat(3000));
  const layers: string[] = [];
  const diffIds: string[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    const tree = makeDirectory(join(root, `tree-${layer}`, `opt/layer-${layer}`));
    for (let file = 0; file < FILES; file++) {
      const half = FILE_BYTES / 2;
      writeFileSync(join(tree, `file-${file}`), Buffer.concat([randomBytes(half), text.subarray(0, half)]));
    }
    const tar = join(root, `layer-${layer}.tar`);
    await command(["tar", "-C", join(root, `tree-${layer}`), "--numeric-owner", "--sort=name", "-cf", tar, "."]);
    diffIds.push(`sha256:${await sha256(tar)}`);
    await command(["gzip", "-1", "-n", tar]);
    rmSync(join(root, `tree-${layer}`), { recursive: true });
    layers.push(`layer-${layer}.tar.gz`);
  }
  const config = { architecture: ARCHITECTURE, os: "linux", config: { Cmd: ["true"] }, rootfs: { type: "layers", diff_ids: diffIds } };
  writeFileSync(join(root, "config.json"), JSON.stringify(config));
  writeFileSync(join(root, "manifest.json"), JSON.stringify([{ Config: "config.json", RepoTags: [tag], Layers: layers }]));
  const archive = join(dir, "big.tar");
  await command(["tar", "-C", root, "-cf", archive, "manifest.json", "config.json", ...layers]);
  rmSync(root, { recursive: true });
  return archive;
}

const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function hostOf(engines: Engines, name: Name): string {
  return engines[name].host;
}

function dockerOf(host: string, ...args: string[]): Promise<unknown> {
  return command(["docker", "-H", host, ...args]);
}

function makeDirectory(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
