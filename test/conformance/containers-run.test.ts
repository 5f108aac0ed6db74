// `docker run` and its options, as the manual has them, by the unmodified docker command.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());

/** Standard output of a container that runs to its end. */
async function output(...args: string[]): Promise<string> {
  const result = await agent.docker(["run", "--rm", ...args]);
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

describe("docker run", () => {
  test("gives the output and the exit code of the program", async () => {
    const result = await agent.docker(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect(result).toMatchObject({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  test("-i hands standard input in and ends with it", async () => {
    const result = await agent.docker(["run", "-i", "--rm", "busybox", "cat"], { input: "one\ntwo\n" });
    expect(result).toMatchObject({ exitCode: 0, stdout: "one\ntwo\n" });
  });

  test("carries a megabyte in and out without losing a byte", async () => {
    const input = "0123456789abcde\n".repeat(65_536);
    const result = await agent.docker(["run", "-i", "--rm", "busybox", "cat"], { input });
    expect(result.stdout.length).toBe(input.length);
    expect(result.stdout).toBe(input);
  });

  test("-d prints the id and the container runs on", async () => {
    const { stdout } = await agent.docker(["run", "-d", "--name", "detached", "busybox", "sleep", "600"]);
    expect(stdout.trim()).toMatch(/^[0-9a-f]{64}$/);
    expect(await agent.inspect("detached", "{{.State.Status}} {{.Name}}")).toBe("running /detached");
    await agent.docker(["rm", "-f", "detached"]);
  });

  test("-e and --env-file set the environment", async () => {
    const file = join(agent.dir, "env");
    writeFileSync(file, "# comment\nFROM_FILE=f 1\n");
    expect(await output("-e", "A=1", "-e", "B=two words", "--env-file", file, "busybox", "sh", "-c", 'echo "$A|$B|$FROM_FILE"')).toBe(
      "1|two words|f 1",
    );
  });

  test("PATH is there without being set, and HOME is the user's", async () => {
    expect(await output("busybox", "sh", "-c", 'echo "$PATH $HOME"')).toBe(
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /root",
    );
  });

  test("-h, --domainname and --add-host reach hostname and the hosts file", async () => {
    const text = await output(
      "-h",
      "web1",
      "--add-host",
      "db:10.1.2.3",
      "--add-host",
      "gw:host-gateway",
      "busybox",
      "sh",
      "-c",
      "hostname; cat /etc/hosts",
    );
    expect(text.split("\n")[0]).toBe("web1");
    expect(text).toMatch(/10\.1\.2\.3\s+db/);
    expect(text).toMatch(/\d+\.\d+\.\d+\.1\s+gw/);
    expect(text).toMatch(/127\.0\.0\.1\s+localhost/);
    expect(text).toMatch(/\d+\.\d+\.\d+\.\d+\s+web1/);
  });

  test("--dns, --dns-search and --dns-option write resolv.conf", async () => {
    const text = await output(
      "--dns",
      "192.0.2.1",
      "--dns-search",
      "example.test",
      "--dns-option",
      "ndots:3",
      "busybox",
      "cat",
      "/etc/resolv.conf",
    );
    expect(text).toMatch(/^nameserver 192\.0\.2\.1$/m);
    expect(text).toMatch(/^search example\.test$/m);
    expect(text).toMatch(/^options ndots:3$/m);
  });

  test("-u takes names and numbers, -w makes the directory", async () => {
    expect(await output("-u", "1234:567", "busybox", "sh", "-c", "id -u; id -g")).toBe("1234\n567");
    expect(await output("-w", "/made/for/it", "busybox", "pwd")).toBe("/made/for/it");
  });

  test("-u with a name the image does not know is an error that says so", async () => {
    const result = await agent.docker(["run", "--rm", "-u", "nobody-here", "busybox", "true"]);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain("unable to find user nobody-here: no matching entries in passwd file");
  });

  test("--entrypoint replaces the image's, and the command follows it", async () => {
    expect(await output("--entrypoint", "echo", "busybox", "a", "b")).toBe("a b");
  });

  test("--read-only makes the root read-only while --tmpfs stays writable", async () => {
    const text = await output(
      "--read-only",
      "--tmpfs",
      "/run/x:size=1m",
      "busybox",
      "sh",
      "-c",
      "touch /a 2>&1; touch /run/x/b && echo written; df -k /run/x | tail -1",
    );
    expect(text).toContain("Read-only file system");
    expect(text).toContain("written");
    expect(text).toMatch(/\b1024\b/);
  });

  test("--init runs the program below an init process", async () => {
    expect(await output("--init", "busybox", "sh", "-c", "cat /proc/1/comm; echo $$")).not.toMatch(/^sh\n1$/);
  });

  test("-t gives a terminal", async () => {
    expect(await output("-t", "busybox", "sh", "-c", "test -t 0 && test -t 1 && echo terminal")).toBe("terminal");
  });

  test("--cidfile and --label are kept", async () => {
    const cidFile = join(agent.dir, "cid");
    await agent.docker(["run", "-d", "--cidfile", cidFile, "--label", "a=b", "--name", "labelled", "busybox", "sleep", "600"]);
    expect(readFileSync(cidFile, "utf8")).toBe(await agent.inspect("labelled", "{{.Id}}"));
    expect(await agent.inspect("labelled", '{{index .Config.Labels "a"}}')).toBe("b");
    await agent.docker(["rm", "-f", "labelled"]);
  });
});

describe("exit codes of docker run", () => {
  test.each([
    [125, ["no-such-image-here"], /No such image|Unable to find image/],
    [127, ["busybox", "no-such-program"], /executable file not found/],
    [127, ["busybox", "/no/such/path"], /no such file or directory/],
    [126, ["busybox", "/etc"], /permission denied|is a directory/],
    [126, ["busybox", "/etc/hosts"], /permission denied/],
    [137, ["busybox", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"], /^Killed\n$/],
  ])("%i for %j", async (code, args, words) => {
    const result = await agent.docker(["run", "--rm", "--pull", "never", ...args]);
    expect(result.exitCode).toBe(code);
    expect(result.stderr).toMatch(words);
  });

  test("a failed start with --rm leaves no container", async () => {
    const { stderr } = await agent.docker(["run", "--rm", "--name", "gone", "busybox", "no-such-program"]);
    // Once: the wait that --rm comes with must not tell it again.
    expect(stderr.match(/executable file not found/g)).toHaveLength(1);
    expect((await agent.docker(["ps", "-aq", "--filter", "name=gone"])).stdout).toBe("");
  });

  test("a failed start without --rm leaves it created, with its reason", async () => {
    await agent.docker(["run", "--name", "failed", "busybox", "no-such-program"]);
    expect(await agent.inspect("failed", "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}")).toMatch(
      /^created 127 .*executable file not found/,
    );
    await agent.docker(["rm", "failed"]);
  });
});

describe("limits and rights", () => {
  const memoryFile = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true";

  test("--memory, --cpus, --cpu-shares and --pids-limit reach the kernel", async () => {
    expect(await output("--memory", "64m", "busybox", "sh", "-c", memoryFile)).toBe(String(64 * 1024 * 1024));
    const cpu = await output(
      "--cpus",
      "0.5",
      "busybox",
      "sh",
      "-c",
      "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || true",
    );
    expect(cpu).toMatch(/^50000/);
    expect(
      await output(
        "--pids-limit",
        "33",
        "busybox",
        "sh",
        "-c",
        "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true",
      ),
    ).toBe("33");
  });

  test("a container over its memory limit is killed and says why", async () => {
    const result = await agent.docker([
      "run",
      "--name",
      "hungry",
      "--memory",
      "16m",
      "busybox",
      "sh",
      "-c",
      "x=$(head -c 64m /dev/zero | tr '\\0' x); echo $x | wc -c",
    ]);
    expect(result.exitCode).not.toBe(0);
    expect(await agent.inspect("hungry", "{{.State.OOMKilled}}")).toBe("true");
    await agent.docker(["rm", "hungry"]);
  });

  test.each([
    [["--memory", "1m"], /Minimum memory limit allowed is 6MB/],
    [["--cpus", "4096"], /Range of CPUs is from 0\.01 to/],
    [["--memory", "64m", "--memory-swap", "32m"], /Minimum memoryswap limit should be larger than memory limit/],
    [["--rm", "--restart", "always"], /[Cc]onflicting options|can't create 'AutoRemove' container with restart policy/],
    [["--network", "container:nobody"], /No such container: nobody/],
    [["--cap-add", "CAP_NOT_THERE"], /invalid capability|unknown capability/i],
  ])("%j is refused with Docker's words, and nothing is made", async (args, words) => {
    const before = (await agent.docker(["ps", "-aq"])).stdout;
    const result = await agent.docker(["create", ...args, "busybox", "true"]);
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toMatch(words);
    expect((await agent.docker(["ps", "-aq"])).stdout).toBe(before);
  });

  test("--ulimit sets the limit", async () => {
    expect(await output("--ulimit", "nofile=512:1024", "busybox", "sh", "-c", "ulimit -Sn; ulimit -Hn")).toBe("512\n1024");
  });

  test("capabilities: Docker's fourteen by default, --cap-drop, --cap-add, --privileged", async () => {
    const effective = "grep CapEff /proc/self/status | tr -d '\\t ' | cut -d: -f2";
    expect(await output("busybox", "sh", "-c", effective)).toBe("00000000a80425fb");
    expect(await output("--cap-drop", "ALL", "busybox", "sh", "-c", effective)).toBe("0000000000000000");
    expect(await output("--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE", "busybox", "sh", "-c", effective)).toBe("0000000000000400");
    expect(await output("--privileged", "busybox", "sh", "-c", effective)).not.toBe("00000000a80425fb");
  });

  test("seccomp filters by default and not when unconfined; no-new-privileges is set on request", async () => {
    const mode = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status | tr -d '\\t '";
    expect(await output("busybox", "sh", "-c", mode)).toBe("NoNewPrivs:0\nSeccomp:2");
    expect(await output("--security-opt", "seccomp=unconfined", "--security-opt", "no-new-privileges", "busybox", "sh", "-c", mode)).toBe(
      "NoNewPrivs:1\nSeccomp:0",
    );
  });

  test("a container cannot mount, and sees masked and read-only kernel paths", async () => {
    const text = await output(
      "busybox",
      "sh",
      "-c",
      "mount -t tmpfs x /mnt 2>&1 | head -1; wc -c < /proc/kcore; echo 1 2>&1 > /proc/sys/kernel/printk || true; ls /proc/acpi | wc -l",
    );
    expect(text).toMatch(/permission denied|not permitted/i);
    expect(text).toMatch(/^0$/m);
  });

  test("--device gives a device, and others stay out", async () => {
    expect(
      await output(
        "--device",
        "/dev/zero:/dev/mine:r",
        "busybox",
        "sh",
        "-c",
        "head -c 3 /dev/mine | wc -c; ls /dev/vda /dev/mem 2>/dev/null | wc -l",
      ),
    ).toBe("3\n0");
  });

  test("--shm-size, --sysctl and --oom-score-adj", async () => {
    expect(await output("--shm-size", "8m", "busybox", "sh", "-c", "df -k /dev/shm | tail -1 | awk '{print $2}'")).toBe("8192");
    expect(
      await output("--sysctl", "net.ipv4.ip_unprivileged_port_start=55", "busybox", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"),
    ).toBe("55");
    expect(await output("--oom-score-adj", "100", "busybox", "cat", "/proc/self/oom_score_adj")).toBe("100");
  });
});

describe("networks", () => {
  test("none has only loopback, host has the host's links", async () => {
    expect(await output("--network", "none", "busybox", "sh", "-c", "ls /sys/class/net; ip -o -4 addr | wc -l")).toBe("lo\n1");
    expect(await output("--network", "host", "busybox", "hostname")).toBe(readFileSync("/proc/sys/kernel/hostname", "utf8").trim());
  });

  test("container:X shares the network of X", async () => {
    await agent.docker(["run", "-d", "--name", "first", "busybox", "sleep", "600"]);
    const address = await agent.inspect("first", "{{.NetworkSettings.IPAddress}}");
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(await output("--network", "container:first", "busybox", "sh", "-c", "ip -o -4 addr show eth0")).toContain(address);
    await agent.docker(["rm", "-f", "first"]);
  });

  test("containers of one bridge reach each other by address", async () => {
    await agent.docker(["run", "-d", "--name", "server", "busybox", "sh", "-c", "while true; do echo answered | nc -l -p 7000; done"]);
    const address = await agent.inspect("server", "{{.NetworkSettings.Networks.bridge.IPAddress}}");
    await expect
      .poll(async () => (await agent.docker(["run", "--rm", "busybox", "nc", "-w", "2", address, "7000"])).stdout)
      .toBe("answered\n");
    await agent.docker(["rm", "-f", "server"]);
  });

  test("-p publishes a port on the host, docker port and ps show it, and it is free again afterwards", async () => {
    const port = await freePort();
    await agent.docker([
      "run",
      "-d",
      "--name",
      "web",
      "-p",
      `127.0.0.1:${port}:80`,
      "busybox",
      "sh",
      "-c",
      "mkdir /w; echo hello > /w/index.html; httpd -f -p 80 -h /w",
    ]);
    await expect.poll(() => httpGet(port)).toBe("hello\n");
    expect((await agent.docker(["port", "web"])).stdout.trim()).toBe(`80/tcp -> 127.0.0.1:${port}`);
    expect((await agent.docker(["ps", "--filter", "name=web", "--format", "{{.Ports}}"])).stdout.trim()).toBe(`127.0.0.1:${port}->80/tcp`);
    await agent.docker(["rm", "-f", "web"]);
    await expect(httpGet(port)).rejects.toThrow();
  });

  test("a port in use is refused before anything is made, with Docker's words", async () => {
    const port = await freePort();
    const server = createServer().listen(port, "0.0.0.0");
    await new Promise((resolve) => server.once("listening", resolve));
    const result = await agent.docker(["run", "-d", "--name", "busy", "-p", `${port}:80`, "busybox", "sleep", "600"]);
    server.close();
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toMatch(/port is already allocated|address already in use/);
    expect(await agent.inspect("busy", "{{.State.Running}}")).toBe("false");
    await agent.docker(["rm", "-f", "busy"]);
  });

  test("-P publishes what the image exposes in the manual's range", async () => {
    await agent.docker(["run", "-d", "--name", "exposed", "--expose", "8080", "--expose", "53/udp", "-P", "busybox", "sleep", "600"]);
    const lines = (await agent.docker(["port", "exposed"])).stdout.trim().split("\n");
    for (const line of lines) {
      const port = Number(/:(\d+)$/.exec(line)?.[1]);
      expect(port).toBeGreaterThanOrEqual(49_000);
      expect(port).toBeLessThanOrEqual(49_900);
    }
    expect(lines.map((line) => line.split(" ")[0]).sort()).toEqual(["53/udp", "8080/tcp"]);
    await agent.docker(["rm", "-f", "exposed"]);
  });
});

describe("mounts", () => {
  test("-v binds a host directory, read-write and read-only", async () => {
    const dir = join(agent.dir, "bound");
    mkdirSync(dir);
    writeFileSync(join(dir, "from-host"), "host");
    expect(await output("-v", `${dir}:/data`, "busybox", "sh", "-c", "cat /data/from-host; echo container > /data/from-container")).toBe(
      "host",
    );
    expect(readFileSync(join(dir, "from-container"), "utf8")).toBe("container\n");
    const refused = await agent.docker(["run", "--rm", "-v", `${dir}:/data:ro`, "busybox", "touch", "/data/x"]);
    expect(refused.stderr).toContain("Read-only file system");
  });

  test("-v makes a missing host directory, --mount refuses it", async () => {
    const missing = join(agent.dir, "missing");
    const refused = await agent.docker(["run", "--rm", "--mount", `type=bind,source=${missing},target=/data`, "busybox", "true"]);
    expect(refused.stderr).toContain("bind source path does not exist");
    await output("-v", `${missing}:/data`, "busybox", "touch", "/data/x");
    expect(readFileSync(join(missing, "x"), "utf8")).toBe("");
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function httpGet(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/index.html`);
  return response.text();
}
