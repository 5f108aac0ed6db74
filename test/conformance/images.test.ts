// The Images table of the manual, by the unmodified docker command and Debian's docker-registry.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { runCommand, type CommandResult } from "../support/docker.ts";
import { DockerRegistry } from "../support/docker-registry.ts";

/** "ann" with the password "s3cret". */
const HTPASSWD = "ann:$2b$04$rt0Z3al5xpLt70maeJNdm.M1wVIsq5rfrOpBJGj7wgHYFcBk71qf2\n";

let agent: TestAgent;
let registry: DockerRegistry;
let guarded: DockerRegistry;
let dir: string;
let host: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "flotilla-images-"));
  registry = await DockerRegistry.start({ directory: join(dir, "open") });
  guarded = await DockerRegistry.start({ directory: join(dir, "guarded"), htpasswd: HTPASSWD });
  host = `127.0.0.1:${registry.port}`;
  agent = await startTestAgent();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
  await agent.close();
});

async function ok(...args: string[]): Promise<string> {
  const result = await agent.docker(args);
  expect(result, `docker ${args.join(" ")}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

async function fails(...args: string[]): Promise<string> {
  const result = await agent.docker(args);
  expect(result.exitCode, `docker ${args.join(" ")}: ${result.stdout}`).not.toBe(0);
  return result.stderr.trim();
}

/** An image of two layers: busybox and one that writes, removes and links. */
async function makeImage(name: string): Promise<void> {
  await ok("run", "--name", "maker", "busybox", "sh", "-c", `rm /etc/remove-me; echo ${name} > /made; ln /made /linked`);
  await ok("commit", "maker", name);
  await ok("rm", "maker");
}

describe("docker commit", () => {
  test("makes a layer of what changed, with author, message and changes", async () => {
    await ok("run", "--name", "work", "-e", "KEPT=1", "busybox", "sh", "-c", "echo new > /new; rm /etc/remove-me");
    const change = ["-c", 'CMD ["cat", "/new"]', "-c", "ENV ADDED=2", "-c", "LABEL a=b"];
    const id = await ok("commit", "-a", "Ann <ann@example.org>", "-m", "a message", ...change, "work", "committed:1");
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await ok("run", "--rm", "committed:1")).toBe("new");
    expect(await ok("run", "--rm", "committed:1", "sh", "-c", "echo $KEPT$ADDED; ls /etc")).toMatch(/^12\nchange-me\n(?!.*remove-me)/);
    const format = "{{.Author}}|{{.Comment}}|{{.Config.Labels.a}}|{{len .RootFS.Layers}}";
    expect(await ok("inspect", "--format", format, "committed:1")).toBe("Ann <ann@example.org>|a message|b|2");
    const [newest = ""] = (await ok("history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}", "committed:1")).split("\n");
    expect(newest).toBe("sh -c echo new > /new; rm /etc/remove-me|a message");
    await ok("rm", "work");
    await ok("rmi", "committed:1");
  });

  test("pauses a running container meanwhile and lets it go on", async () => {
    await ok("run", "-d", "--name", "live", "busybox", "sleep", "600");
    await ok("commit", "live", "snap");
    expect(await agent.inspect("live", "{{.State.Status}}")).toBe("running");
    const events = await ok(
      "events",
      "--since",
      "10m",
      "--until",
      String(Date.now() / 1000 + 1),
      "--filter",
      "container=live",
      "--format",
      "{{.Action}}",
    );
    expect(events.split("\n").slice(-3)).toEqual(["pause", "unpause", "commit"]);
    await ok("rm", "-f", "live");
    await ok("rmi", "snap");
  });

  test("refuses what is no container and no change", async () => {
    expect(await fails("commit", "nobody")).toContain("No such container: nobody");
    await ok("create", "--name", "idle", "busybox");
    expect(await fails("commit", "-c", "RUN true", "idle")).toContain("run is not a valid change command");
    await ok("rm", "idle");
  });
});

describe("docker push and pull", () => {
  test("bring an image to a registry and back, whole", async () => {
    const name = `${host}/team/app:1`;
    await makeImage(name);
    const id = await agent.inspect(name, "{{.Id}}");
    const pushed = await ok("push", name);
    expect(pushed).toMatch(/^The push refers to repository \[127\.0\.0\.1:\d+\/team\/app\]\n/);
    const digest = /^1: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(pushed)?.[1];
    expect(digest).toBeDefined();
    expect(await agent.inspect(name, "{{index .RepoDigests 0}}")).toBe(`${host}/team/app@${digest}`);
    expect(await ok("rmi", name)).toContain(`Untagged: ${host}/team/app@${digest}`);
    const pulled = await ok("pull", name);
    expect(pulled).toContain("1: Pulling from team/app\n");
    expect(pulled).toMatch(/[0-9a-f]{12}: Already exists\n/);
    expect(pulled).toMatch(/[0-9a-f]{12}: Pull complete\n/);
    expect(pulled).toContain(`Digest: ${digest}\nStatus: Downloaded newer image for ${name}`);
    expect(await agent.inspect(name, "{{.Id}}")).toBe(id);
    expect(await ok("run", "--rm", name, "sh", "-c", "cat /linked; ls /etc/remove-me 2>&1 | grep -c such")).toBe(`${name}\n1`);
    expect(await ok("pull", name)).toContain(`Status: Image is up to date for ${name}`);
    expect(await ok("images", "--digests", "--format", "{{.Digest}}", `${host}/team/app`)).toBe(digest);
    await ok("rmi", name);
  });

  test("mount layers from other repositories and know those that are there", async () => {
    await makeImage(`${host}/one/app`);
    await ok("push", `${host}/one/app`);
    await ok("tag", `${host}/one/app`, `${host}/two/app`);
    expect(await ok("push", `${host}/two/app`)).toContain("Mounted from one/app");
    expect(await ok("push", `${host}/two/app`)).toContain("Layer already exists");
    await ok("rmi", `${host}/one/app`, `${host}/two/app`);
  });

  test("by digest, and all tags", async () => {
    const repository = `${host}/many/tags`;
    await makeImage(`${repository}:a`);
    await ok("tag", "busybox", `${repository}:b`);
    const pushed = await ok("push", "-a", repository);
    const digests = [...pushed.matchAll(/^[ab]: digest: (sha256:[0-9a-f]{64})/gm)].map((match) => match[1] ?? "");
    expect(digests).toHaveLength(2);
    await ok("rmi", `${repository}:a`, `${repository}:b`);
    await ok("pull", `${repository}@${digests[0]}`);
    expect(await ok("images", "--format", "{{.Tag}}", "--filter", `reference=${repository}`)).toBe("<none>");
    await ok("rmi", `${repository}@${digests[0]}`);
    expect(await ok("pull", "-a", repository)).toContain(`Status: Downloaded newer image for ${repository}`);
    expect((await ok("images", "--format", "{{.Tag}}", repository)).split("\n").toSorted()).toEqual(["a", "b"]);
    await ok("rmi", `${repository}:a`, `${repository}:b`);
  });

  test("say what is not there in Docker's words", async () => {
    expect(await fails("pull", `${host}/team/app:nope`)).toContain(`manifest for ${host}/team/app:nope not found`);
    expect(await fails("push", `${host}/never/made:1`)).toContain(`tag does not exist: ${host}/never/made:1`);
    expect(await fails("push", `${host}/never/made`)).toContain("does not exist");
    expect(await fails("run", "--rm", `${host}/never/made`)).toContain("not found");
    expect(await fails("pull", "--platform", "windows/amd64", `${host}/x`)).toContain("operating system is not supported");
  });

  test("run pulls what is missing", async () => {
    const name = `${host}/lazy/app`;
    await makeImage(name);
    await ok("push", name);
    await ok("rmi", name);
    expect(await ok("run", "--rm", name, "cat", "/made")).toBe(name);
    await ok("rmi", name);
  });
});

describe("docker login", () => {
  const config = (): string => join(dir, "docker-config");
  const signedIn = (args: readonly string[], input = ""): Promise<CommandResult> => {
    mkdirSync(config(), { recursive: true });
    return agent.docker(["--config", config(), ...args], { input });
  };

  test("takes the right password only, and its credentials open the registry", async () => {
    const door = `127.0.0.1:${guarded.port}`;
    await ok("tag", "busybox", `${door}/private/app`);
    expect(await fails("push", `${door}/private/app`)).toMatch(/no basic auth credentials|unauthorized|denied/);
    expect((await signedIn(["login", "-u", "ann", "--password-stdin", door], "wrong")).stderr).toMatch(/unauthorized/);
    expect((await signedIn(["login", "-u", "ann", "--password-stdin", door], "s3cret")).stdout).toContain("Login Succeeded");
    expect((await signedIn(["push", `${door}/private/app`])).exitCode).toBe(0);
    await ok("rmi", `${door}/private/app`);
    expect(await fails("pull", `${door}/private/app`)).toMatch(/pull access denied|unauthorized/);
    expect((await signedIn(["pull", `${door}/private/app`])).exitCode).toBe(0);
    expect((await signedIn(["logout", door])).exitCode).toBe(0);
    expect((await signedIn(["pull", `${door}/private/app`])).exitCode).not.toBe(0);
    await ok("rmi", `${door}/private/app`);
  });
});

describe("docker search, manifest and info", () => {
  test("search finds repositories of a registry by name", async () => {
    await ok("tag", "busybox", `${host}/findable/thing`);
    await ok("push", `${host}/findable/thing`);
    await ok("rmi", `${host}/findable/thing`);
    expect(await ok("search", "--format", "{{.Name}}", `${host}/findable`)).toBe(`${host}/findable/thing`);
    expect(await fails("search", "anything")).toContain("no registry to search");
  });

  test("info and search follow registries.json without a restart", async () => {
    const file = join(agent.dir, "data", "agent", "registries.json");
    writeFileSync(file, JSON.stringify({ defaultRegistry: host, registries: { "plain.example:5000": { insecure: true } } }));
    try {
      const format = "{{range $k, $v := .RegistryConfig.IndexConfigs}}{{$k}}={{$v.Secure}} {{end}}";
      expect(await ok("info", "--format", format)).toBe("docker.io=true plain.example:5000=false");
      expect(await ok("pull", "findable/thing")).toContain("Downloaded newer image for findable/thing:latest");
      await ok("rmi", "findable/thing");
      writeFileSync(file, '{"registries": {"x": {"insekure": true}}}');
      expect(await fails("pull", "findable/thing")).toContain("registries.json");
    } finally {
      rmSync(file);
    }
  });
});

describe("images that came from a registry", () => {
  test("are listed, removed, saved and loaded as others are", async () => {
    const name = `${host}/life/app:1`;
    await makeImage(name);
    await ok("push", name);
    await ok("tag", name, "second:name");
    const id = await agent.inspect(name, "{{.Id}}");
    expect(await ok("images", "-q", "--no-trunc", "--filter", "reference=second")).toBe(id);
    expect(await fails("rmi", id)).toContain("must be forced");
    await ok("create", "--name", "user", "second:name");
    await ok("rmi", name);
    expect(await fails("rmi", "second:name")).toContain("container");
    await ok("rm", "user");
    const archive = join(dir, "saved.tar");
    await ok("save", "-o", archive, "second:name", "busybox");
    expect(await ok("rmi", "second:name")).toContain(`Deleted: ${id}`);
    expect(await ok("load", "-i", archive)).toContain("Loaded image: second:name");
    expect(await agent.inspect("second:name", "{{.Id}}")).toBe(id);
    expect(await ok("run", "--rm", "second:name", "cat", "/made")).toBe(name);
    await ok("rmi", "-f", id);
  });

  test("skopeo reads ours and we read its", async () => {
    const name = `${host}/shared/app:ours`;
    await makeImage(name);
    await ok("push", name);
    const theirs = `docker://${host}/shared/app:theirs`;
    const copy = ["skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false", "-q"] as const;
    const oci = await runCommand([...copy, "--format", "oci", "--dest-compress-format", "zstd", `docker://${name}`, theirs]);
    expect(oci, oci.stderr).toMatchObject({ exitCode: 0 });
    await ok("rmi", name);
    await ok("pull", `${host}/shared/app:theirs`);
    expect(await ok("run", "--rm", `${host}/shared/app:theirs`, "cat", "/linked")).toBe(name);
    await ok("rmi", `${host}/shared/app:theirs`);
  });

  test("umoci unpacks ours, and what it packs again is loaded by us", async () => {
    const name = "exchange:ours";
    await makeImage(name);
    const layout = join(dir, "layout");
    mkdirSync(layout);
    await ok("save", "-o", join(dir, "layout.tar"), name);
    await must(["tar", "-xf", join(dir, "layout.tar"), "-C", layout]);
    const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: { annotations: Record<string, string> }[] };
    const tag = index.manifests[0]?.annotations["org.opencontainers.image.ref.name"] ?? "";
    await must(["umoci", "unpack", "--image", `${layout}:${tag}`, join(dir, "bundle")]);
    expect(readFileSync(join(dir, "bundle", "rootfs", "made"), "utf8")).toBe(`${name}\n`);
    writeFileSync(join(dir, "bundle", "rootfs", "theirs"), "written by umoci\n");
    rmSync(join(dir, "bundle", "rootfs", "made"));
    await must(["umoci", "repack", "--image", `${layout}:theirs`, join(dir, "bundle")]);
    await must(["umoci", "config", "--image", `${layout}:theirs`, "--config.cmd", "cat", "--config.cmd", "/theirs"]);
    // An image of theirs alone: manifest.json of Docker's layout names ours.
    rmSync(join(layout, "manifest.json"));
    await must(["umoci", "rm", "--image", `${layout}:${tag}`]);
    await must(["tar", "-cf", join(dir, "theirs.tar"), "-C", layout, "."]);
    const loaded = await ok("load", "-i", join(dir, "theirs.tar"));
    const theirs = /Loaded image(?: ID)?: (\S+)/.exec(loaded)?.[1] ?? "";
    expect(await ok("run", "--rm", theirs)).toBe("written by umoci");
    expect((await agent.docker(["run", "--rm", theirs, "cat", "/made"])).exitCode).not.toBe(0);
    await ok("rmi", "-f", theirs, name);
  });
});

async function must(argv: [string, ...string[]]): Promise<void> {
  const result = await runCommand(argv);
  expect(result, `${argv.join(" ")}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
}
