// What surrounds the steps of a build: the cache, stages beside each other, cancelling, hostile contexts, crashes.
import { spawn } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { END_OF_ARCHIVE, formatHeader, type NewEntry } from "../../agent/src/archive/tar/writer.ts";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { build, imageField, makeContext, shell } from "../support/build.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());

const ENTRY: NewEntry = {
  type: "file",
  name: "",
  linkName: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

function entry(part: Partial<NewEntry>, content = ""): Buffer {
  const bytes = Buffer.from(content);
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  return Buffer.concat([formatHeader({ ...ENTRY, size: bytes.length, ...part }), bytes, padding]);
}

function context(dockerfile: string, ...entries: Buffer[]): Buffer {
  return Buffer.concat([entry({ name: "Dockerfile" }, dockerfile), ...entries, END_OF_ARCHIVE]);
}

/** `POST /build` as a client of the API sends it. */
function post(body: Buffer, query = ""): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: agent.socketPath, path: `/v1.47/build?${query}`, method: "POST" }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      // Also when the connection breaks: `end` does not come then.
      response.on("error", () => undefined).on("close", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    // The server may answer and close before all was sent.
    outgoing.on("error", (error: NodeJS.ErrnoException) => (error.code === "EPIPE" ? undefined : reject(error)));
    outgoing.end(body);
  });
}

describe("the cache", () => {
  test("goes by content: times, tags and names of contexts do not matter, bytes and modes do", async () => {
    const dockerfile = "FROM busybox\nCOPY f /f\nRUN cat /f\n";
    const first = await build(agent, { Dockerfile: dockerfile, f: "one" }, ["-t", "c:1"]);
    const again = await build(agent, { Dockerfile: dockerfile, f: "one", other: "x" }, ["-t", "c:2"]);
    const changed = await build(agent, { Dockerfile: dockerfile, f: "two" }, ["-t", "c:3"]);
    expect(first.stdout).not.toContain("Using cache");
    expect(again.stdout.match(/Using cache/g)).toHaveLength(2);
    expect(changed.stdout).not.toContain("Using cache");
    expect(await imageField(agent, "c:1", ".Id")).toBe(await imageField(agent, "c:2", ".Id"));
    const without = await build(agent, { Dockerfile: dockerfile, f: "one" }, ["--no-cache"]);
    expect(without.stdout).not.toContain("Using cache");
  });

  test("a file copied from a stage is found again when only other files of the stage changed", async () => {
    const dockerfile = (n: number): string =>
      `FROM busybox AS s\nRUN echo same > /same; echo ${n} > /other\nFROM busybox\nCOPY --from=s /same /same\nRUN echo after\n`;
    await build(agent, { Dockerfile: dockerfile(1) });
    const second = await build(agent, { Dockerfile: dockerfile(2) });
    expect(second.stdout.match(/Using cache/g)).toHaveLength(2);
  });

  test("the same input gives the same image with SOURCE_DATE_EPOCH, also without the cache", async () => {
    const dockerfile = "FROM busybox\nARG SOURCE_DATE_EPOCH\nCOPY f /d/f\nRUN echo made > /made\nWORKDIR /w\n";
    const ids = [];
    for (const name of ["r:1", "r:2"]) {
      const result = await build(agent, { Dockerfile: dockerfile, f: "one" }, [
        "--no-cache",
        "--build-arg",
        "SOURCE_DATE_EPOCH=1700000000",
        "-t",
        name,
      ]);
      expect(result.exitCode, result.stderr).toBe(0);
      ids.push(await imageField(agent, name, ".Id"));
    }
    expect(ids[0]).toBe(ids[1]);
    expect(await imageField(agent, "r:1", ".Created")).toMatch(/^2023-11-14T22:13:20/);
  });

  test("is shown by df, not by images, and pruned", async () => {
    await build(agent, { Dockerfile: "FROM busybox\nRUN head -c 100000 /dev/zero > /z\nRUN rm /z\n" }, ["-t", "p:1"]);
    const shown = (await agent.docker(["images", "-q", "--filter", "dangling=true"])).stdout;
    expect((await agent.docker(["system", "df", "--format", "{{.Type}} {{.Size}}"])).stdout).toMatch(/Build Cache [1-9]/);
    await agent.docker(["rmi", "p:1"]);
    const pruned = await agent.docker(["builder", "prune", "-af"]);
    expect(pruned.stdout).toMatch(/Total reclaimed space: [1-9]|Total:\s+[1-9]/);
    expect((await agent.docker(["system", "df", "--format", "{{.Type}} {{.Size}}"])).stdout).toContain("Build Cache 0B");
    expect((await agent.docker(["images", "-aq"])).stdout.split("\n").length).toBeLessThanOrEqual(shown.split("\n").length + 20);
    expect((await build(agent, { Dockerfile: "FROM busybox\nRUN echo fresh\n" })).stdout).not.toContain("Using cache");
  });
});

describe("stages", () => {
  test("run beside each other and are told in order", async () => {
    // Each waits for what the other leaves in a cache that both share: in turn they would never end.
    const meet = (own: string, other: string): string =>
      `RUN --mount=type=cache,id=meet,target=/m touch /m/${own}; i=0; while [ ! -e /m/${other} ] && [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; done; test -e /m/${other} && echo met-${own} > /met`;
    const dockerfile = `FROM busybox AS a\n${meet("a", "b")}\nFROM busybox AS b\n${meet("b", "a")}\nFROM busybox\nCOPY --from=a /met /a\nCOPY --from=b /met /b\n`;
    const result = await build(agent, { Dockerfile: dockerfile }, ["-t", "par:1"]);
    expect(result.exitCode, result.stdout + result.stderr).toBe(0);
    expect([...result.stdout.matchAll(/^Step (\d+)\//gm)].map(([, number]) => number)).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(await shell(agent, "par:1", "cat /a /b")).toBe("met-a\nmet-b");
  });
});

describe("a client that goes away", () => {
  const slow = "FROM busybox\nRUN echo begun; sleep 3600\n";

  test("ends the step at once and leaves nothing", async () => {
    const child = spawn("docker", ["build", makeContext(agent, { Dockerfile: slow })], {
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_HOST: agent.host, DOCKER_BUILDKIT: "0" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await expect.poll(() => output).toContain("\nbegun");
    expect((await agent.docker(["ps", "-q"])).stdout).not.toBe("");
    child.kill("SIGKILL");
    await expect.poll(async () => (await agent.docker(["ps", "-aq"])).stdout).toBe("");
    expect(scratchOf(agent)).toEqual([]);
  });

  test("or asks for the end by the build's id", async () => {
    const answer = post(context(slow), "buildid=mine");
    await expect.poll(async () => (await agent.docker(["ps", "-q"])).stdout).not.toBe("");
    await new Promise<void>((resolve, reject) => {
      request({ socketPath: agent.socketPath, path: "/v1.47/build/cancel?id=mine", method: "POST" }, (response) => {
        response.resume().on("end", resolve);
      })
        .on("error", reject)
        .end();
    });
    expect((await answer).text).toMatch(/"error":"[^"]*cancel/i);
    await expect.poll(async () => (await agent.docker(["ps", "-aq"])).stdout).toBe("");
  });
});

describe("contexts", () => {
  test.each([
    ["plain", (tar: Buffer): Buffer => tar],
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("a %s tar is taken", async (_name, compress) => {
    const { text } = await post(compress(context("FROM busybox\nRUN echo $((6*7))\n")), "nocache=1");
    expect(text).toContain('{"stream":"42\\n"}');
    expect(text).toMatch(/\{"aux":\{"ID":"sha256:[0-9a-f]{64}"\}\}\r\n\{"stream":"Successfully built/);
  });

  test("quiet says only the id, and an answer that is no build has a status", async () => {
    expect((await post(context("FROM busybox\nENV A=1\n"), "q=1")).text).toMatch(
      /^\{"aux":[^\n]*\n\{"stream":"sha256:[0-9a-f]{64}\\n"\}\r\n$/,
    );
    expect(await post(Buffer.from("BZh91AY&SY"))).toMatchObject({ status: 400, text: expect.stringContaining("bzip2") as string });
    expect(await post(context("FROM busybox\n"), "t=UPPER")).toMatchObject({ status: 400 });
    expect(await post(context("FROM busybox\n"), "remote=https://example.com/x.git")).toMatchObject({ status: 501 });
    expect(await post(context("FROM busybox\n"), "version=2")).toMatchObject({ status: 501 });
    expect(await post(context("FROM busybox\n"), "dockerfile=../../etc/passwd")).toMatchObject({ status: 400 });
  });

  test("hostile entries are refused or stay inside", async () => {
    const copyAll = "FROM busybox\nCOPY . /all\n";
    const device = entry({ name: "dev", type: "character-device", deviceMajor: 1, deviceMinor: 3 });
    for (const bad of [entry({ name: "../up" }, "x"), device, entry({ name: "l", type: "link", linkName: "/etc/passwd" })]) {
      expect(await post(context(copyAll, bad))).toMatchObject({ status: 400 });
    }
    const links = [
      entry({ name: "out", type: "symlink", linkName: "/etc" }),
      entry({ name: "up", type: "symlink", linkName: "../../../../etc" }),
    ];
    for (const source of ["out/hostname", "up/hostname"]) {
      expect((await post(context(`FROM busybox\nCOPY ${source} /h\n`, ...links))).text).toMatch(/file does not exist/);
    }
    expect((await post(context("ignored", entry({ name: "Dockerfile", type: "symlink", linkName: "/etc/passwd" })))).status).toBe(400);
    expect((await post(context("FROM busybox\nCOPY /abs /h\n", entry({ name: "/abs" }, "x")))).text).toContain("Successfully built");
    expect(scratchOf(agent)).toEqual([]);
  });

  test("a file of ten terabytes of nothing is refused before it is made", async () => {
    const size = 10 * 2 ** 40;
    const records = ["GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=huge", `GNU.sparse.realsize=${size}`]
      .map(paxRecord)
      .join("");
    const map = "1\n0\n0\n".padEnd(512, "\0");
    const pax = entry({ name: "pax" }, records);
    // The type flag and checksum of a pax header.
    pax[156] = "x".charCodeAt(0);
    pax.write("        ", 148, "latin1");
    const sum = pax.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    pax.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    const filler = entry({ name: "big" }, "z".repeat(3 * 2 ** 20));
    const answer = await post(context("FROM busybox\nCOPY huge /h\n", filler, pax, entry({ name: "huge" }, map)));
    expect(answer).toMatchObject({ status: 413 });
  });

  test("links in the image never lead a COPY out of it", async () => {
    const dockerfile =
      "FROM busybox\nRUN ln -s /../../../../../../etc /evil && ln -s /proc/1/root/etc /evil2\nCOPY f /evil/flotilla-test\n";
    const result = await build(agent, { Dockerfile: dockerfile, f: "inside" }, ["-t", "evil:1"]);
    expect(result.exitCode, result.stderr).toBe(0);
    expect(await shell(agent, "evil:1", "cat /etc/flotilla-test")).toBe("inside");
    expect(readdirSync("/etc")).not.toContain("flotilla-test");
  });
});

describe("a kill of the agent in the middle of a step", () => {
  test("leaves nothing after the next start", async () => {
    const answer = post(context("FROM busybox\nRUN sleep 3600\n", entry({ name: "big" }, "z".repeat(3 * 2 ** 20)))).catch(() => undefined);
    await expect.poll(async () => (await agent.docker(["ps", "-q"])).stdout).not.toBe("");
    await agent.kill();
    await answer;
    await agent.start();
    expect((await agent.docker(["ps", "-aq"])).stdout).toBe("");
    expect(scratchOf(agent)).toEqual([]);
    expect(readdirSync(join(agent.dir, "data/agent/rootfs"))).toEqual([]);
    expect((await build(agent, { Dockerfile: "FROM busybox\nRUN echo again\n" })).exitCode).toBe(0);
  });
});

function paxRecord(text: string): string {
  const length = (size: number): number => String(size).length + 1 + text.length + 1;
  let size = length(0);
  while (length(size) !== size) size = length(size);
  return `${size} ${text}\n`;
}

/** What builds have in the store's scratch space. */
function scratchOf({ dir }: TestAgent): string[] {
  return readdirSync(join(dir, "data/agent/storage-tmp")).filter((name) => name.startsWith("build-"));
}

test("a Dockerfile on standard input is a context of its own", async () => {
  const path = join(agent.dir, "stdin-iid");
  writeFileSync(path, "");
  const result = await agent.docker(["build", "--iidfile", path, "-"], {
    input: "FROM busybox\nRUN echo from-stdin\n",
    env: { DOCKER_BUILDKIT: "0" },
  });
  expect(result.stdout, result.stderr).toContain("from-stdin");
  rmSync(path);
});
