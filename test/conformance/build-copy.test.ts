// COPY and ADD with the real docker command: what is copied, where to, and as whose.
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { build, makeContext, shell } from "../support/build.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";
import { runCommand } from "../support/docker.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());

const FILES = { "a.txt": "a", "b.txt": "b", "dir/one": "1", "dir/deep/two": "2", "dir/deep/three.log": "3" };

/** Builds `FROM busybox` and these lines on FILES. */
async function copied(name: string, lines: string, files: Record<string, string> = {}): Promise<void> {
  const result = await build(agent, { ...FILES, ...files, Dockerfile: `FROM busybox\n${lines}\n` }, ["-t", name]);
  expect(result.exitCode, `${result.stdout}\n${result.stderr}`).toBe(0);
}

async function refused(lines: string, files: Record<string, string> = {}): Promise<string> {
  const result = await build(agent, { ...FILES, ...files, Dockerfile: `FROM busybox\n${lines}\n` });
  expect(result.exitCode, result.stdout).not.toBe(0);
  return result.stderr;
}

const find = (name: string, path: string): Promise<string> => shell(agent, name, `cd ${path} && find . | sort | tr '\\n' ' '`);

describe("what is copied", () => {
  test("a file to a name, a file into a directory, and missing directories are made", async () => {
    await copied("copy:1", "COPY a.txt /x/y/name\nCOPY a.txt b.txt /d/\nCOPY a.txt /tmp");
    expect(
      await shell(agent, "copy:1", "cat /x/y/name /d/a.txt /d/b.txt /tmp/a.txt; echo; stat -c '%a %u:%g' /x/y /d /tmp /x/y/name"),
    ).toBe("aaba\n755 0:0\n755 0:0\n1777 0:0\n644 0:0");
  });

  test("of a directory its content is copied, below what is there already", async () => {
    await copied("copy:2", "RUN mkdir -m 700 /d && touch /d/old\nCOPY dir /d\nCOPY dir/deep/ /new");
    expect(await find("copy:2", "/d")).toBe(". ./deep ./deep/three.log ./deep/two ./old ./one");
    expect(await find("copy:2", "/new")).toBe(". ./three.log ./two");
    expect(await shell(agent, "copy:2", "stat -c %a /d")).toBe("700");
  });

  test("wildcards, --exclude, --parents, and all of the context with .dockerignore", async () => {
    const ignore = { ".dockerignore": "*.txt\n!b.txt\ndir/**/*.log\n# comment\n" };
    await copied("copy:3", "COPY *.txt /txt/\nCOPY --exclude=deep dir /ex\nCOPY --parents dir/deep/t* /par/\nCOPY . /all", ignore);
    expect(await find("copy:3", "/txt")).toBe(". ./b.txt");
    expect(await find("copy:3", "/ex")).toBe(". ./one");
    expect(await find("copy:3", "/par")).toBe(". ./dir ./dir/deep ./dir/deep/two");
    expect(await find("copy:3", "/all")).toContain("./b.txt ./dir ./dir/deep ./dir/deep/two ./dir/one");
  });

  test("--chown by name and number, --chmod by octal and symbols", async () => {
    await copied(
      "copy:4",
      "COPY --chown=nobody:extra a.txt /n\nCOPY --chown=11:12 --chmod=751 dir /m\nCOPY --chmod=u=rwx,go=rX dir /s\nCOPY --chown=nobody a.txt /deep/er/f",
    );
    expect(await shell(agent, "copy:4", "stat -c '%u:%g %a' /n /m /m/one /s/one /s/deep /deep/er /deep/er/f")).toBe(
      ["65534:4242 644", "11:12 751", "11:12 751", "0:0 755", "0:0 755", "65534:65534 755", "65534:65534 644"].join("\n"),
    );
    expect(await refused("COPY --chown=who a.txt /")).toMatch(/can't find uid for user who/);
  });

  test("links stay links, times and modes are the files' own", async () => {
    const context = makeContext(agent, { "d/f": "x", Dockerfile: "FROM busybox\nCOPY d /d\nCOPY link /followed\n" });
    symlinkSync("f", join(context, "d/link"));
    symlinkSync("d/f", join(context, "link"));
    chmodSync(join(context, "d/f"), 0o4751);
    await runCommand(["touch", "-d", "@1000000000", join(context, "d/f")]);
    expect(await build(agent, context, ["-t", "copy:5"])).toMatchObject({ exitCode: 0 });
    expect(await shell(agent, "copy:5", "readlink /d/link; stat -c '%a %Y' /d/f; cat /followed")).toBe("f\n4751 1000000000\nx");
  });

  test("files that stand in the Dockerfile", async () => {
    await copied("copy:6", 'ENV A=1\nCOPY <<one <<"two" /h/\nv=$A\none\nv=$A\ntwo\nADD <<EOF /single\ns\nEOF');
    expect(await shell(agent, "copy:6", "cat /h/one /h/two /single; stat -c %a /single")).toBe("v=1\nv=$A\ns\n644");
  });

  test("from an image by name and from a stage by number, with their owners", async () => {
    await copied(
      "copy:7",
      "RUN mkdir /o && touch /o/f && chown 5:6 /o/f\nFROM busybox\nCOPY --from=0 /o /o\nCOPY --from=busybox --link /etc/change-me /c",
    );
    expect(await shell(agent, "copy:7", "stat -c %u:%g /o/f; cat /c")).toBe("5:6\nchange me");
  });

  test.each([
    ["COPY missing /", /COPY failed: file not found in build context or excluded by .dockerignore: stat missing: file does not exist/],
    ["COPY *.none /", /no source files were specified/],
    ["COPY ../etc/passwd /", /forbidden path outside the build context/],
    ["COPY a.txt b.txt /dest", /must be a directory and end with a \//],
    ["COPY --from=busybox /nothing /", /nothing: file does not exist/],
    ["COPY --from=9 /x /", /invalid stage index|No such image|nowhere|not/],
  ])("%s is refused in Docker's words", async (line, words) => {
    expect(await refused(line)).toMatch(words);
  });
});

describe("ADD", () => {
  test("a local archive is unpacked with its owners, plain or compressed; COPY leaves it alone", async () => {
    const context = makeContext(agent, {
      "t/f": "in-tar",
      Dockerfile: "FROM busybox\nADD t.tar /p\nADD t.tar.gz /z/\nCOPY t.tar /c.tar\nADD a.gz /g/\n",
    });
    for (const [flag, name] of [
      ["-cf", "t.tar"],
      ["-czf", "t.tar.gz"],
    ] as const) {
      await runCommand(["tar", "--owner=7", "--group=8", "-C", join(context, "t"), flag, join(context, name), "f"]);
    }
    await runCommand(["cp", join(context, "t/f"), join(context, "a.gz")]);
    const result = await build(agent, context, ["-t", "add:1"]);
    expect(result.exitCode, result.stderr).toBe(0);
    expect(await shell(agent, "add:1", "cat /p/f /z/f /g/a.gz; echo; stat -c %u:%g /p/f; stat -c %F /c.tar")).toBe(
      "in-tarin-tarin-tar\n7:8\nregular file",
    );
  });

  test("a URL inside is refused, by address and by name", async () => {
    const server = await serve();
    try {
      const { port } = server.address() as AddressInfo;
      for (const url of [
        `http://127.0.0.1:${port}/f`,
        `http://localhost:${port}/f`,
        "http://169.254.169.254/latest",
        "http://[::1]/x",
        "http://2130706433/x",
      ]) {
        expect(await refused(`ADD ${url} /f`), url).toMatch(/is refused: builds and imports reach public addresses only/);
      }
      expect((await agent.docker(["build", `http://127.0.0.1:${port}/f`], { env: { DOCKER_BUILDKIT: "0" } })).exitCode).not.toBe(0);
    } finally {
      server.close();
    }
  });
});

describe("a host that allows private addresses", () => {
  let open: TestAgent;
  beforeAll(async () => {
    open = await startTestAgent({ env: { FLOTILLA_BUILD_PRIVATE_URLS: "1" } });
  });
  afterAll(async () => open.close());

  test("docker import of a URL fetches it, and nothing inside is reached where that is not allowed", async () => {
    const root = join(open.dir, "served");
    mkdirSync(root);
    const server = await serve(readFileSync(await makeBusyboxTar(root)));
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const url = `${origin}/root.tar`;
      const imported = await open.docker(["import", "--change", "CMD echo fetched", url, "fetched:1"]);
      expect(imported.exitCode, imported.stderr).toBe(0);
      expect(imported.stdout).toMatch(new RegExp(`^Downloading from ${url}\\s+sha256:[0-9a-f]{64}\\s*$`));
      expect((await open.docker(["run", "--rm", "fetched:1"])).stdout).toBe("fetched\n");
      const missing = await open.docker(["import", `${origin}/missing`]);
      expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining("with status 404")]);
      const inside = await agent.docker(["import", url]);
      expect([inside.exitCode, inside.stderr]).toEqual([1, expect.stringContaining("reach public addresses only")]);
    } finally {
      server.close();
    }
  });

  test("ADD unpacks xz and bzip2, and copies what only looks like them", async () => {
    await runCommand(["mkdir", join(open.dir, "packed")]);
    const tar = join(open.dir, "packed", "t.tar");
    await runCommand(["sh", "-c", 'cd "$1" && echo packed > file && tar -cf t.tar file && rm file', "sh", join(open.dir, "packed")]);
    const context = makeContext(open, {
      Dockerfile: "FROM busybox\nADD t.tar.xz /x/\nADD t.tar.bz2 /b/\nADD fake.tar.xz /f/\n",
      "fake.tar.xz": "no xz",
    });
    const python =
      "import lzma, bz2, sys; d = open(sys.argv[1], 'rb').read(); open(sys.argv[2] + '/t.tar.xz', 'wb').write(lzma.compress(d)); open(sys.argv[2] + '/t.tar.bz2', 'wb').write(bz2.compress(d))";
    await runCommand(["python3", "-c", python, tar, context]);
    const result = await build(open, context, ["-t", "packed:1"]);
    expect(result.exitCode, result.stderr).toBe(0);
    expect(await shell(open, "packed:1", "cat /x/file /b/file /f/fake.tar.xz")).toBe("packed\npacked\nno xz");
  });

  test("a URL is fetched, its checksum checked, its name taken from the path", async () => {
    const server = await serve();
    try {
      const { port } = server.address() as AddressInfo;
      const sum = createHash("sha256").update("served").digest("hex");
      const lines = `ADD http://127.0.0.1:${port}/dir/name /d/\nADD --checksum=sha256:${sum} http://127.0.0.1:${port}/x /y`;
      const result = await build(open, { Dockerfile: `FROM busybox\n${lines}\n` }, ["-t", "url:1"]);
      expect(result.exitCode, result.stderr).toBe(0);
      expect(await shell(open, "url:1", "cat /d/name /y; echo; stat -c %a /y")).toBe("servedserved\n600");
      const wrong = await build(open, {
        Dockerfile: `FROM busybox\nADD --checksum=sha256:${"0".repeat(64)} http://127.0.0.1:${port}/x /y\n`,
      });
      expect(wrong.stderr).toMatch(/digest mismatch/);
    } finally {
      server.close();
    }
  });
});

async function serve(content: string | Buffer = "served"): Promise<Server> {
  const server = createServer((request, response) => (request.url === "/missing" ? response.writeHead(404).end() : response.end(content)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

test("many files in one directory are copied whole", async () => {
  const context = makeContext(agent, { Dockerfile: "FROM busybox\nCOPY . /all\n" });
  mkdirSync(join(context, "many"));
  await runCommand(["sh", "-c", 'cd "$1" && seq 1 3000 | xargs touch', "sh", join(context, "many")]);
  const result = await build(agent, context, ["-t", "many:1"]);
  expect(result.exitCode, result.stderr).toBe(0);
  expect(await shell(agent, "many:1", "ls /all/many | wc -l")).toBe("3000");
});
