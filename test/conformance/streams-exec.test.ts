// docker exec, by the unmodified docker command.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { liveDocker, terminalDocker } from "../support/live-command.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
  await agent.docker(["run", "-d", "--name", "box", "-e", "FROM=container", "-w", "/tmp", "-h", "inside", "busybox", "sleep", "3600"]);
});
afterAll(async () => agent.close());

const exec = (...args: string[]) => agent.docker(["exec", ...args]);

describe("docker exec", () => {
  test("gives output, errors and exit code", async () => {
    expect(await exec("box", "sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  test("has the container's environment, directory and name, and what is asked for besides", async () => {
    const { stdout } = await exec("-e", "EXTRA=a b", "box", "sh", "-c", 'echo "$FROM|$EXTRA|$HOME|$PWD|$(hostname)"');
    expect(stdout).toBe("container|a b|/root|/tmp|inside\n");
    expect((await exec("-w", "/etc", "box", "pwd")).stdout).toBe("/etc\n");
  });

  test("-u runs as another user with that user's groups and home, without capabilities", async () => {
    const { stdout } = await exec("-u", "nobody", "box", "sh", "-c", 'id; echo "$HOME"; grep CapEff /proc/self/status');
    expect(stdout).toBe("uid=65534(nobody) gid=65534(nogroup) groups=4242(extra),65534(nogroup)\n/\nCapEff:\t0000000000000000\n");
    expect((await exec("-u", "1234:5678", "box", "id")).stdout).toBe("uid=1234 gid=5678 groups=5678\n");
    expect((await exec("-u", "ghost", "box", "id")).stdout).toContain("unable to find user ghost: no matching entries in passwd file");
  });

  test("--privileged has all capabilities that the engine has", async () => {
    const plain = (await exec("box", "grep", "CapEff", "/proc/self/status")).stdout.trim();
    const privileged = (await exec("--privileged", "box", "grep", "CapEff", "/proc/self/status")).stdout.trim();
    expect(plain).toBe("CapEff:\t00000000a80425fb");
    expect(privileged > plain).toBe(true);
  });

  test("-i carries input and ends with it", async () => {
    const input = "0123456789abcde\n".repeat(65_536);
    const { stdout } = await agent.docker(["exec", "-i", "box", "cat"], { input });
    expect(stdout).toBe(input);
  });

  test.each([
    ["nosuch", 127, 'exec: "nosuch": executable file not found in $PATH'],
    ["/no/such", 127, "no such file or directory"],
    ["/etc/passwd", 126, "permission denied"],
    ["/etc", 126, "permission denied"],
  ])("%s cannot be run: exit code %i in Docker's words", async (program, exitCode, words) => {
    const result = await exec("box", program);
    expect(result).toMatchObject({ exitCode, stderr: "" });
    expect(result.stdout).toContain(`OCI runtime exec failed: exec failed: unable to start container process: `);
    expect(result.stdout).toContain(words);
  });

  test("a directory that is not there is an error before the program", async () => {
    const result = await exec("-w", "/nowhere", "box", "pwd");
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout).toMatch(/nowhere.*no such file or directory/);
  });

  test("errors of a program that waits for input are seen before its end", async () => {
    const prompt = liveDocker(agent.host, ["exec", "-i", "box", "sh", "-c", "printf 'name? ' >&2; read name; echo $name"]);
    await expect.poll(() => prompt.errors()).toBe("name? ");
    prompt.write("me\n");
    expect(await prompt.exited).toBe(0);
    expect(prompt.text()).toBe("me\n");
  });

  test("-d returns while the program runs, and inspect lists it", async () => {
    expect(await exec("-d", "box", "sleep", "2")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await agent.inspect("box", "{{len .ExecIDs}}")).toBe("1");
    await expect.poll(() => agent.inspect("box", "{{.ExecIDs}}")).toBe("[]");
    expect((await exec("-d", "box", "nosuch")).stderr).toContain("executable file not found");
  });

  test("many at once each get their own output", async () => {
    const results = await Promise.all(Array.from({ length: 12 }, (_, index) => exec("box", "sh", "-c", `echo ${index}; exit ${index}`)));
    expect(results.map(({ stdout, exitCode }) => [stdout, exitCode])).toEqual(results.map((_, index) => [`${index}\n`, index]));
  });

  test("a process that it leaves behind does not hold its end up", async () => {
    const { exitCode, stdout } = await exec("box", "sh", "-c", "sleep 600 & echo started");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "started\n" });
  });

  test("nothing can be run in a container that is paused or stopped", async () => {
    await agent.docker(["run", "-d", "--name", "still", "busybox", "sleep", "600"]);
    await agent.docker(["pause", "still"]);
    expect((await exec("still", "true")).stderr).toMatch(/is paused, unpause the container before exec/);
    await agent.docker(["unpause", "still"]);
    const running = liveDocker(agent.host, ["exec", "still", "sleep", "500"]);
    await expect.poll(async () => (await agent.docker(["top", "still"])).stdout).toMatch(/sleep 500/);
    await agent.docker(["stop", "-t", "0", "still"]);
    expect(await running.exited).toBe(137);
    expect((await exec("still", "true")).stderr).toMatch(/is not running/);
    await agent.docker(["rm", "still"]);
  });
});

describe("docker exec -it", () => {
  test("has a terminal of the client's size that follows it", async () => {
    const shell = terminalDocker(agent.host, ["exec", "-it", "box", "sh"], { rows: 31, columns: 91 });
    await shell.until(/# /);
    shell.write("stty size\r");
    await shell.until(/31 91/);
    shell.resize(50, 132);
    await expect
      .poll(async () => {
        shell.write("stty size\r");
        await new Promise((resolve) => setTimeout(resolve, 50));
        return /50 132/.test(shell.text());
      })
      .toBe(true);
    shell.write("exit 3\r");
    expect(await shell.exited).toBe(3);
    expect(await agent.inspect("box", "{{.State.Running}}")).toBe("true");
  });

  test("echoes what is typed once", async () => {
    const cat = terminalDocker(agent.host, ["exec", "-it", "box", "cat"]);
    cat.write("typed\r");
    await cat.until(/typed\r\ntyped\r\n/);
    cat.endInput();
    expect(await cat.exited).toBe(0);
    expect(cat.text()).toBe("typed\r\ntyped\r\n");
  });

  test("ctrl-c interrupts the program, not the session", async () => {
    const shell = terminalDocker(agent.host, ["exec", "-it", "box", "sh"]);
    await shell.until(/# /);
    shell.write("sleep 100\r");
    await expect.poll(async () => (await exec("box", "ps")).stdout).toMatch(/sleep 100\n/);
    shell.write("\x03");
    await shell.until(/\^C/);
    shell.write("echo back-$((1+1))\r");
    await shell.until(/back-2/);
    shell.write("exit\r");
    await shell.exited;
  });

  test("detach keys leave the program running", async () => {
    const shell = terminalDocker(agent.host, [
      "exec",
      "-it",
      "--detach-keys",
      "ctrl-a,d",
      "box",
      "sh",
      "-c",
      "echo ready; sleep 3; touch /tmp/went-on",
    ]);
    await shell.until(/ready/);
    shell.write("\x01d");
    await shell.exited;
    await expect.poll(async () => (await exec("box", "ls", "/tmp/went-on")).exitCode).toBe(0);
  });

  test("output of a megabyte comes whole", async () => {
    const { stdout } = await agent.docker(["exec", "-t", "box", "sh", "-c", "seq 1 150000"]);
    expect(stdout.length).toBe(1_088_895);
    expect(stdout === Array.from({ length: 150_000 }, (_, index) => `${index + 1}\r\n`).join("")).toBe(true);
  });
});
