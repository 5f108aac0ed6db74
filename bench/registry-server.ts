import { fork, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONTROL_NODE_FLAGS } from "../apps/cli/src/paths.ts";
import { DockerRegistry } from "../test/support/docker-registry.ts";
import type { Case, Row } from "./case.ts";
import { command, interleave, median } from "./measure.ts";
import { type Blob, RawClient, type Server } from "./registry-client.ts";

const MIB = 1024 * 1024;
/** With six of these an image is as large on the wire as the one of the pull case. */
const BLOB_BYTES = 45 * MIB;
const BLOBS = 6;
const ROUNDS = 4;

/** Our registry beside Debian's docker-registry, by one client; and what the control plane's memory grows to meanwhile. */
export const registry: Case = async (engines) => {
  const dir = join(engines.dir, "registry-server");
  mkdirSync(dir, { recursive: true });
  const peer = await DockerRegistry.start({ directory: join(dir, "peer") });
  const control = await startControl();
  try {
    const servers = {
      "docker-registry": { url: `http://127.0.0.1:${peer.port}`, repository: "bench/big", token: undefined },
      flotilla: { url: control.url, repository: "team/big", token: control.token },
    };
    const rounds = Math.min(engines.rounds, ROUNDS);
    return [...(await measure({ dir, rounds, servers }, control.child)), ...(await measureSize({ dir, servers }, control.child))];
  } finally {
    await control.close();
    await peer[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  }
};

type Bench = { dir: string; rounds: number; servers: Record<"docker-registry" | "flotilla", Server> };

/** Each round pushes an image that no server has seen, and pulls it. */
async function measure({ dir, rounds, servers }: Bench, child: ChildProcess): Promise<Row[]> {
  const images = Array.from({ length: rounds + 1 }, () => [] as Blob[]);
  const imageOf = (round: number): Blob[] => {
    const image = images[round] ?? [];
    if (image.length === 0) image.push(makeBlob(dir, 2000), ...Array.from({ length: BLOBS }, () => makeBlob(dir, BLOB_BYTES)));
    return image;
  };
  // Made before the clock runs.
  for (let round = 0; round <= rounds; round++) imageOf(round);
  const contenders = (work: (client: RawClient, round: number) => Promise<void>): Parameters<typeof interleave>[2] =>
    (["docker-registry", "flotilla"] as const).map((name) => ({
      name,
      // docker-registry leaves to the kernel what it wrote: whoever syncs next on the same disk would wait for that too.
      before: () => command(["sync", "-f", dir]),
      run: async (round: number): Promise<void> => {
        using client = new RawClient(servers[name]);
        await work(client, round);
      },
    }));
  const before = memoryOf(child).nowMiB;
  const pushed = await interleave(
    "push",
    rounds,
    contenders((client, round) => client.push(imageOf(round), `v${round}`)),
  );
  const pushPeak = memoryOf(child).peakMiB - before;
  const idle = memoryOf(child).nowMiB;
  const pulled = await interleave(
    "pull",
    rounds,
    contenders((client, round) => client.pull(imageOf(round), `v${round}`)),
  );
  const pullPeak = memoryOf(child).peakMiB - idle;
  for (const { path } of images.flat()) rmSync(path, { force: true });
  return [
    timeRow("registry: push of 270 MB (peer: docker-registry)", pushed.samples),
    timeRow("registry: pull of 270 MB (peer: docker-registry)", pulled.samples),
    memoryRow("registry: memory added by pushes", pushPeak),
    memoryRow("registry: memory added by pulls", pullPeak),
  ];
}

/** Memory must not follow the size of a blob: one of six times the size. */
async function measureSize({ dir, servers }: Omit<Bench, "rounds">, child: ChildProcess): Promise<Row[]> {
  const image = [makeBlob(dir, 2000), makeBlob(dir, BLOBS * BLOB_BYTES)];
  using client = new RawClient(servers.flotilla);
  const before = memoryOf(child).nowMiB;
  await client.push(image, "large");
  await client.pull(image, "large");
  const added = memoryOf(child).peakMiB - before;
  for (const { path } of image) rmSync(path, { force: true });
  return [memoryRow("registry: memory added by one blob of 270 MB", added)];
}

function timeRow(name: string, samples: Record<string, number[]>): Row {
  const [flotilla, peer] = [median(samples["flotilla"] ?? []), median(samples["docker-registry"] ?? [])];
  return { name, unit: "ms", flotilla, dockerd: peer, ratio: flotilla / peer, target: "≤ 1.0", samples };
}

function memoryRow(name: string, flotilla: number): Row {
  return { name, unit: "MiB", flotilla, dockerd: undefined, ratio: undefined, target: "≤ 150 MB" };
}

let made = 0;

function makeBlob(dir: string, size: number): Blob {
  const path = join(dir, `blob-${made++}`);
  const hash = createHash("sha256");
  for (let left = size; left > 0; left -= MIB) {
    const piece = randomBytes(Math.min(left, MIB));
    hash.update(piece);
    writeFileSync(path, piece, { flag: "a" });
  }
  return { path, size, digest: `sha256:${hash.digest("hex")}` };
}

/** Resident memory now, and its peak since the last call (proc(5), clear_refs). */
function memoryOf(child: ChildProcess): { nowMiB: number; peakMiB: number } {
  const status = readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  writeFileSync(`/proc/${child.pid ?? 0}/clear_refs`, "5");
  return { nowMiB: field("VmRSS"), peakMiB: field("VmHWM") };
}

async function startControl(): Promise<{ child: ChildProcess; url: string; token: string; close(): Promise<void> }> {
  const child = fork(new URL("control-child.ts", import.meta.url), {
    execArgv: ["--disable-warning=ExperimentalWarning", ...CONTROL_NODE_FLAGS],
  });
  const message = await Promise.race([once(child, "message"), once(child, "exit").then(() => [undefined])]);
  const ready = message[0] as { url: string; token: string } | undefined;
  if (ready === undefined) throw new Error("the control plane does not start");
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.disconnect();
    await exited;
  };
  return { child, ...ready, close };
}
